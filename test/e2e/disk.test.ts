/** Disks that are full, cannot be written or have damaged what was on them: said plainly, nothing acknowledged lost. */
import { spawnSync } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { eventually, startEbb, type CommandResult, type EbbProcess } from "./ebb-process.ts";

vi.setConfig({ testTimeout: 60_000 });

const examples = join(import.meta.dirname, "../../examples");
const mount = (...args: readonly string[]): boolean => spawnSync("mount", args, { stdio: "ignore" }).status === 0;
const unmount = (dir: string): boolean => spawnSync("umount", ["-l", dir], { stdio: "ignore" }).status === 0;

/** A small disk of its own at a new directory. */
function mountDisk(): string | undefined {
  const dir = mkdtempSync(join(tmpdir(), "ebb-disk-"));
  if (mount("-t", "tmpfs", "-o", "size=24m", "ebb-test", dir)) return dir;
  rmSync(dir, { recursive: true });
  return undefined;
}

const probe = mountDisk();
if (probe) unmount(probe);
else process.stderr.write("disk.test.ts: mounting is not permitted, full and read-only disks are NOT tested\n");

const opened: { disk?: string; ebb?: EbbProcess } = {};
afterEach(async () => {
  await opened.ebb?.kill9();
  if (opened.disk !== undefined) {
    unmount(opened.disk);
    rmSync(opened.disk, { recursive: true, force: true });
  }
  delete opened.ebb;
  delete opened.disk;
});

function openDisk(): string {
  const disk = mountDisk();
  if (disk === undefined) throw new Error("mounting worked a moment ago");
  return (opened.disk = disk);
}

/** Writes until nothing more fits. */
function fill(disk: string): string {
  const file = join(disk, "ballast");
  const fd = openSync(file, "w");
  try {
    for (const bytes of [65_536, 4096, 1]) for (;;) if (!tryWrite(fd, bytes)) break;
  } finally {
    closeSync(fd);
  }
  return file;
}

function tryWrite(fd: number, bytes: number): boolean {
  try {
    return writeSync(fd, Buffer.alloc(bytes)) > 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOSPC") return false;
    throw error;
  }
}

async function up(dir: string): Promise<EbbProcess> {
  mkdirSync(dir, { recursive: true });
  return (opened.ebb = await startEbb({ dir }));
}

/** `ebb up` where it must fail, by a running ebb's command line. */
const refuses = async (ebb: EbbProcess, dir: string): Promise<string> => {
  const result = await ebb.ebb("up", "--port", "0", "--api-port", "0", "--data", dir);
  expect(result).toMatchObject({ code: 1, stdout: "" });
  return result.stderr;
};

const configMap = (ebb: EbbProcess, name: string, value: string): Promise<CommandResult> =>
  ebb.kubectl(["create", "configmap", name, `--from-literal=v=${value}`]);

/** Creates until one is refused; the names of those that were not, and what was said of that one. */
async function createUntilRefused(ebb: EbbProcess): Promise<{ readonly kept: string[]; readonly refusal: string }> {
  const kept: string[] = [];
  for (let i = 0; i < 100; i++) {
    const { code, stderr } = await configMap(ebb, `kept-${i}`, "x".repeat(50_000));
    if (code !== 0) return { kept, refusal: stderr };
    kept.push(`kept-${i}`);
  }
  throw new Error("the disk took everything");
}

const valueOf = async (ebb: EbbProcess, name: string): Promise<string> =>
  (await ebb.kubectl(["get", "configmap", name, "-o", "jsonpath={.data.v}"])).stdout;

describe.skipIf(probe === undefined)("a disk of its own", () => {
  test("when it is full: writes are refused, what runs goes on, and all acknowledged is there afterwards", async () => {
    const disk = openDisk();
    const dir = join(disk, "data");
    const ebb = await up(dir);
    expect(await ebb.ebb("deploy", join(examples, "hello"))).toMatchObject({ code: 0 });
    expect(await configMap(ebb, "first", "1")).toMatchObject({ code: 0 });
    // Some room, so that it runs out in the middle of work.
    writeFileSync(join(disk, "room"), Buffer.alloc(400_000));
    const ballast = fill(disk);
    rmSync(join(disk, "room"));
    const { kept, refusal } = await createUntilRefused(ebb);
    expect(refusal).toContain("the disk is full: nothing was written; free space and try again");
    expect(kept.length).toBeGreaterThan(0);
    fill(disk);

    expect(await ebb.call("hello.default.localhost")).toMatchObject({ status: 200, body: "Hello, world!\n" });
    // What a refused write has allocated in the log still takes a few small ones, which are then as good as any.
    await eventually("it says so of itself", async () => {
      expect((await configMap(ebb, "none", "x".repeat(50_000))).code).toBe(1);
      const { stderr } = await ebb.kubectl(["get", "--raw", "/readyz"]);
      return stderr.includes("[-]etcd failed") ? true : undefined;
    });
    const deployed = await ebb.ebb("deploy", join(examples, "python"));
    expect(deployed.code).toBe(1);
    expect(deployed.stderr).toMatch(/\nebb: the disk that holds .* is full; free space and try again\n$/);
    expect((await ebb.kubectl(["get", "configmap", "none"])).stderr).toContain("NotFound");

    await ebb.kill9();
    expect(await refuses(ebb, dir)).toMatch(/^ebb: .*the disk is full/m);
    rmSync(ballast, { force: true });
    const again = await up(dir);
    for (const name of kept) expect(await valueOf(again, name)).toBe("x".repeat(50_000));
    expect(await valueOf(again, "first")).toBe("1");
    expect((await again.kubectl(["get", "--raw", "/readyz"])).stdout).toBe("ok");
    expect(await configMap(again, "after", "1")).toMatchObject({ code: 0 });
    await eventually("the function answers", async () => {
      const { status } = await again.call("hello.default.localhost");
      return status === 200 ? true : undefined;
    });
  });

  test("when room is made while it runs, it goes on without a restart", async () => {
    const disk = openDisk();
    const ebb = await up(join(disk, "data"));
    const ballast = fill(disk);
    expect((await configMap(ebb, "none", "1")).code).toBe(1);
    rmSync(ballast);
    let seen = "";
    // Controllers may have been refused too, the namespace among it: they try again.
    await eventually(
      "writes go through again",
      async () => {
        const { code, stderr } = await configMap(ebb, "some", "1");
        seen = stderr;
        return code === 0 ? true : undefined;
      },
      { seen: () => seen },
    );
    expect((await ebb.kubectl(["get", "--raw", "/readyz"])).stdout).toBe("ok");
    expect(await ebb.ebb("deploy", join(examples, "hello"))).toMatchObject({ code: 0 });
  });

  test("when it is mounted read-only, ebb up and ebb deploy say so", async () => {
    const disk = openDisk();
    const dir = join(disk, "data");
    const first = await up(dir);
    await first.kill9();
    expect(mount("-o", "remount,ro", disk)).toBe(true);
    const said = await refuses(first, dir);
    expect(said).toContain(`cannot use the data directory ${dir}: `);
    expect(said).toContain("give a writable one with --data");
    expect(said).not.toContain("EBB_DEBUG");
  });
});

test("a log damaged at its end: what is before it is kept, the loss is said, and the damaged log is kept", async () => {
  const first = await startEbb();
  const { dir } = first;
  try {
    for (const name of ["one", "two"]) expect(await configMap(first, name, name)).toMatchObject({ code: 0 });
    // The only thing written from here on is known, for it is sought in the file.
    expect(await configMap(first, "last", "findable-value")).toMatchObject({ code: 0 });
    await first.kill9();
    const wal = join(dir, "state.db-wal");
    const bytes = readFileSync(wal);
    const at = bytes.indexOf("findable-value");
    expect(at).toBeGreaterThan(0);
    bytes.write("FINDABLE", at);
    writeFileSync(wal, bytes);
    const again = await up(dir);
    expect(await valueOf(again, "one")).toBe("one");
    expect(await valueOf(again, "two")).toBe("two");
    expect((await again.kubectl(["get", "configmap", "last"])).stderr).toContain("NotFound");
    expect(again.output()).toContain("the last writes of the state file were damaged on disk and are lost");
    expect(readFileSync(`${wal}.damaged`).includes("FINDABLE-value")).toBe(true);
    expect(await configMap(again, "last", "again")).toMatchObject({ code: 0 });
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
