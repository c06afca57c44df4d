/** S3, SQS and SNS as moto plays them (pip install 'moto[server]'), on a free port. */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { freePort } from "../../free-port.ts";

/** Why there is none; undefined when there is. */
export const noMoto =
  spawnSync("moto_server", ["--help"]).error === undefined
    ? undefined
    : "moto_server is not installed (pip install 'moto[server]')";

export interface MotoServer {
  readonly url: string;
  stop(): Promise<void>;
}

export async function startMoto(): Promise<MotoServer> {
  const port = await freePort();
  const child: ChildProcess = spawn("moto_server", ["-H", "127.0.0.1", "-p", String(port)], { stdio: "ignore" });
  const url = `http://127.0.0.1:${port}`;
  const end = Date.now() + 30_000;
  for (;;) {
    try {
      if ((await fetch(`${url}/moto-api/`)).ok) break;
    } catch (error) {
      if (Date.now() > end || child.exitCode !== null) throw new Error("moto_server does not answer", { cause: error });
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  return {
    url,
    async stop() {
      child.kill("SIGKILL");
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    },
  };
}
