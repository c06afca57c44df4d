import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { findPython } from "../hosts/find-python.ts";
import { pythonHostCommand } from "../hosts/host-command.ts";
import type { ClaimMessage } from "../hosts/protocol.ts";
import { pythonProgram } from "../hosts/python-program.ts";
import { startForkServer, type ForkServer } from "./fork-server.ts";

const python = await findPython("/usr/local/bin:/usr/bin:/bin");

describe.skipIf(!python || process.platform !== "linux")("a fork server of the Python host", () => {
  let dir: string;
  let server: ForkServer;
  let pids: number[];
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "ebb-forks-"));
    pids = [];
    server = await startForkServer({
      command: pythonHostCommand(python?.path ?? "", pythonProgram(join(tmpdir(), "ebb-test-cache"))),
      env: { PATH: "/usr/bin:/bin" },
      spawned: (pid) => pids.push(pid),
      now: () => Date.now(),
    });
  });
  afterEach(async () => {
    server.close();
    for (const pid of pids.filter(isAlive)) process.kill(pid, "SIGKILL");
    await expect.poll(() => pids.filter(isAlive)).toEqual([]);
    await rm(dir, { recursive: true });
  });

  async function claim(text: string): Promise<Omit<ClaimMessage, "type">> {
    const entry = join(dir, `f${Math.random().toString(36).slice(2)}.py`);
    await writeFile(entry, text);
    return { entry, model: "auto", env: { COLOUR: "blue" }, cwd: dir, loadTimeoutMs: 5_000 };
  }

  const hello = "import os\ndef lambda_handler(event, context):\n    print('asked')\n    return os.environ['COLOUR']\n";

  test("gives hosts that load a function each, with its output and its end", async () => {
    const [one, two] = await Promise.all([server.fork("warm"), server.fork("warm")]);
    await Promise.all([one.idle, two.idle]);
    let printed = "";
    one.stdout.on("data", (chunk: Buffer) => (printed += chunk.toString()));
    const { port } = await one.claim(await claim(hello));
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe("blue");
    await expect.poll(() => printed).toContain("asked");
    process.kill(one.pid, "SIGTERM");
    expect(await one.exited).toEqual({ code: 0, signal: undefined });
    process.kill(two.pid, "SIGKILL");
    expect(await two.exited).toEqual({ code: undefined, signal: "SIGKILL" });
    expect(pids).toContain(one.pid);
  });

  test("a function that ends its process, or cannot be imported, says so", async () => {
    const [one, two] = [await server.fork("direct"), await server.fork("direct")];
    await expect(one.claim(await claim("import sys\nsys.exit(3)"))).rejects.toMatchObject({ reason: "HostExited" });
    expect(await one.exited).toEqual({ code: 3, signal: undefined });
    await expect(two.claim(await claim("import nothing_there"))).rejects.toMatchObject({ reason: "ImportFailed" });
  });

  test("hosts leave each other's requests and sockets alone: a fork has none but its own", async () => {
    const text = `import os
def lambda_handler(event, context):
    links = [f"/proc/self/fd/{n}" for n in os.listdir("/proc/self/fd")]
    kinds = [os.readlink(link) for link in links if os.path.islink(link)]
    return {"sockets": sum(kind.startswith("socket") for kind in kinds), "session": os.getsid(0) == os.getpid()}
`;
    const hosts = await Promise.all(Array.from({ length: 4 }, () => server.fork("direct")));
    for (const host of hosts) {
      const { port } = await host.claim(await claim(text));
      const answer = (await (await fetch(`http://127.0.0.1:${port}/`)).json()) as { sockets: number; session: boolean };
      // Control, two for output, two doors, the loop's pair, and the caller.
      expect(answer).toEqual({ sockets: 8, session: true });
    }
  });

  test("a host that ended while the server could no longer tell it is known to have ended", async () => {
    const host = await server.fork("direct");
    const hungUp = new Promise((resolve) => host.stdout.resume().once("close", resolve));
    host.stderr.resume();
    await host.claim(await claim(hello));
    const [main = 0] = pids;
    process.kill(main, "SIGSTOP");
    process.kill(host.pid, "SIGKILL");
    await hungUp;
    process.kill(main, "SIGKILL");
    await expect(host.exited).resolves.toEqual({ code: 255, signal: undefined });
  });

  test("when the server ends, claimed hosts serve on and their end is still told; waiting ones and new ones are not", async () => {
    const claimed = await server.fork("direct");
    const { port } = await claimed.claim(await claim(hello));
    const [main = 0] = pids;
    process.kill(main, "SIGKILL");
    await expect.poll(() => server.alive).toBe(false);
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe("blue");
    await expect(server.fork("direct")).rejects.toThrow("ended");
    process.kill(claimed.pid, "SIGKILL");
    await expect(claimed.exited).resolves.toBeDefined();
  });
});

/** Who has ended and waits for a parent to notice does not count. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
