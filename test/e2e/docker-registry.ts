import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "./ebb-process.ts";

/** A really started registry of the distribution project (Debian's docker-registry), on loopback. */
export interface DockerRegistry {
  /** `127.0.0.1:<port>`. */
  readonly host: string;
  stop(): Promise<void>;
}

export async function startDockerRegistry(): Promise<DockerRegistry> {
  const dir = await mkdtemp(join(tmpdir(), "ebb-registry-"));
  const port = await freePort();
  const host = `127.0.0.1:${port}`;
  const config = `version: 0.1
log: {level: error}
storage: {filesystem: {rootdirectory: ${dir}/data}, delete: {enabled: true}}
http: {addr: "${host}"}
`;
  await writeFile(join(dir, "config.yml"), config);
  const child = spawn("docker-registry", ["serve", join(dir, "config.yml")], { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += String(chunk)));
  child.once("error", (error) => (output += error.message));
  await eventually("docker-registry answers", async () => ((await fetch(`http://${host}/v2/`)).ok ? true : undefined), {
    seen: () => output,
  });
  return {
    host,
    async stop() {
      const exited = once(child, "exit");
      // TERM would wait for kept connections.
      child.kill("SIGKILL");
      await exited;
      await rm(dir, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
