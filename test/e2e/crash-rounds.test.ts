/** ebb killed under load, and started where it cannot run. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { eventually, startEbb, type EbbProcess } from "./ebb-process.ts";

vi.setConfig({ testTimeout: 60_000 });

const host = "pid.default.localhost";

async function writeUntilKilled(ebb: EbbProcess, round: number, acknowledged: string[]): Promise<void> {
  for (let i = 0; ; i++) {
    const name = `write-${round}-${i}`;
    if ((await ebb.kubectl(["create", "configmap", name, `--from-literal=i=${i}`])).code !== 0) return;
    acknowledged.push(name);
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test("killed in the middle of writes, it keeps what it acknowledged, answers again and leaves no process", async () => {
  let ebb = await startEbb();
  const { dir } = ebb;
  try {
    const source = join(dir, "pid.ts");
    await writeFile(source, "export default { fetch: () => new Response(String(process.pid)) };");
    expect(await ebb.ebb("deploy", source)).toMatchObject({ code: 0 });
    const acknowledged: string[] = [];
    for (let round = 0; round < 3; round++) {
      const old = Number((await ebb.call(host)).body);
      const before = acknowledged.length;
      const writing = writeUntilKilled(ebb, round, acknowledged);
      await eventually("writes are under way", async () => (acknowledged.length >= before + 3 ? true : undefined));
      await ebb.kill9();
      await writing;
      ebb = await startEbb({ dir });
      const again = ebb;
      const answer = await eventually("the function answers again", async () => {
        const got = await again.call(host);
        return got.status === 200 ? got : undefined;
      });
      expect(Number(answer.body)).not.toBe(old);
      await eventually("the old instance is gone", async () => (isRunning(old) ? undefined : true));
      const kept = await ebb.kubectl(["get", "configmaps", "-o", "name"]);
      expect(kept.stdout.split("\n")).toEqual(expect.arrayContaining(acknowledged.map((name) => `configmap/${name}`)));
    }
  } finally {
    await ebb.stop();
    await rm(dir, { recursive: true, force: true });
  }
});

test("where it cannot run it says so at once, naming what is in the way", async () => {
  const dir = await mkdtemp(join(tmpdir(), "ebb-e2e-"));
  const ebb = await startEbb();
  const refused = async (...args: string[]): Promise<string> => {
    const result = await ebb.ebb("up", "--port", "0", "--api-port", "0", "--data", join(dir, "free"), ...args);
    expect(result).toMatchObject({ code: 1, stdout: "" });
    return result.stderr;
  };
  try {
    const { port } = new URL(ebb.routerUrl);
    expect(await refused("--port", port)).toContain(
      `port ${port} is taken by another program; give another with --port`,
    );
    expect(await refused("--data", "/proc/ebb/data")).toContain("cannot use the data directory /proc/ebb/data: ");
    await mkdir(join(dir, "blocked/kubeconfig"), { recursive: true });
    expect(await refused("--data", join(dir, "blocked"))).toContain("cannot write the kubeconfig ");
    await mkdir(join(dir, "corrupt"));
    await writeFile(join(dir, "corrupt/state.db"), "no database ".repeat(100));
    expect(await refused("--data", join(dir, "corrupt"))).toContain("it is not a SQLite database");
  } finally {
    await ebb.stop();
    await rm(dir, { recursive: true, force: true });
  }
});
