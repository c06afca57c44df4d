/** What is built here runs elsewhere: under containerd and podman, which pull it from ebb's own registry. */
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { tmpdir } from "node:os";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildFunction } from "../../src/functions/build/build-function.ts";
import { detectSource } from "../../src/functions/build/detect.ts";
import { makeNodeBase } from "../../src/images/base/node-base.ts";
import { makePythonBase } from "../../src/images/base/python-base.ts";
import type { ImageStore } from "../../src/images/store.ts";
import {
  freePort,
  has,
  startDistribution,
  startOurs,
  temporaryStore,
  type RunningRegistry,
} from "../registry/registries.ts";

const run = promisify(execFile);
const root = process.getuid?.() === 0;
const examples = join(import.meta.dirname, "../../examples");

const own = temporaryStore();
const scratch = mkdtempSync(join(tmpdir(), "ebb-built-"));
let registry: RunningRegistry;

async function build(store: ImageStore, example: string, base: string): Promise<string> {
  const context = {
    store,
    cacheDir: join(own.dir, "cache"),
    env: process.env,
    note: () => undefined,
    signal: AbortSignal.timeout(60_000),
  };
  const source = await detectSource(join(examples, example));
  return (await buildFunction(context, source, "default", { base, ebbVersion: "test" })).digest;
}

beforeAll(async () => {
  registry = await startOurs(own.store);
  await build(own.store, "hello", (await makeNodeBase(own.store, process.execPath)).name);
}, 60_000);
afterAll(async () => {
  await registry.close();
  own.remove();
  rmSync(scratch, { recursive: true, force: true });
});

/** The text at an address, as soon as something answers there. Fails with what the program has said. */
async function answerOf(url: string, said: () => string): Promise<string> {
  for (const deadline = Date.now() + 20_000; ;) {
    try {
      return await (await fetch(url)).text();
    } catch (error) {
      if (Date.now() > deadline) throw new Error(`nothing answers at ${url}: ${said()}`, { cause: error });
      await new Promise((resolve) => {
        setTimeout(resolve, 50);
      });
    }
  }
}

function follow(child: ChildProcess): { said(): string; readonly ended: Promise<number | null> } {
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk: Buffer) => (text += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => {
    child.once("exit", resolve);
  });
  return { said: () => text, ended };
}

test("the same source over the same base gives the same digest in another store", async () => {
  const other = temporaryStore();
  try {
    const base = (await makeNodeBase(other.store, process.execPath)).name;
    const digest = await build(other.store, "hello", base);
    expect(digest).toBe(own.store.find("dev.local/default/hello")?.digest);
    const image = await other.store.resolve(`dev.local/default/hello@${digest}`);
    expect(image?.config.config).toMatchObject({ User: "65532", WorkingDir: "/app", ExposedPorts: { "8080/tcp": {} } });
    expect(image?.manifest.annotations).toMatchObject({ "org.opencontainers.image.base.name": base });
  } finally {
    other.remove();
  }
});

describe.skipIf(!root || !has("containerd") || !has("ctr") || !has("runc"))(
  "containerd (as root, with ctr and runc)",
  () => {
    const address = join(scratch, "containerd.sock");
    const ctr = (...words: readonly string[]) => ["-a", address, ...words];
    let daemon: ChildProcess;

    beforeAll(async () => {
      const dirs = ["--root", join(scratch, "root"), "--state", join(scratch, "state")];
      daemon = spawn("containerd", ["-a", address, ...dirs, "-l", "error"], { stdio: "ignore" });
      for (const deadline = Date.now() + 20_000; ;) {
        if (await run("ctr", ctr("version")).catch(() => undefined)) break;
        if (Date.now() > deadline) throw new Error("containerd does not answer");
      }
    }, 30_000);
    afterAll(async () => {
      const { ended } = follow(daemon);
      daemon.kill("SIGTERM");
      await ended;
    });

    test("pulls from ebb's registry and runs, with a root that cannot be written", async () => {
      const image = `${registry.host}/default/hello:latest`;
      await run("ctr", ctr("images", "pull", "--plain-http", "--snapshotter", "native", image));
      const port = await freePort();
      const how = ["run", "--rm", "--read-only", "--net-host", "--snapshotter", "native", "--env", `PORT=${port}`];
      const child = spawn("ctr", ctr(...how, image, "hello"), { stdio: ["ignore", "pipe", "pipe"] });
      const { said, ended } = follow(child);
      try {
        expect(await answerOf(`http://127.0.0.1:${port}/?name=containerd`, said)).toBe("Hello, containerd!\n");
      } finally {
        await run("ctr", ctr("tasks", "kill", "-s", "SIGTERM", "hello")).catch(() => child.kill());
        await ended;
      }
    }, 60_000);
  },
);

describe.skipIf(!root || !has("podman") || !has("runc"))("podman (as root, with runc)", () => {
  const place = [
    "--root",
    join(scratch, "podman"),
    "--runroot",
    join(scratch, "podman-run"),
    "--storage-driver",
    "vfs",
  ];
  const runtime = ["--runtime", "runc", "--cgroup-manager", "cgroupfs", "--events-backend", "file"];
  const podman = (...words: readonly string[]) => [...place, ...runtime, ...words];

  test.skipIf(!has("python3"))(
    "pulls from ebb's registry and runs a Python function",
    async () => {
      const { stdout } = await run("python3", ["-c", "import sys; print(sys.executable)"]);
      await build(own.store, "python", (await makePythonBase(own.store, stdout.trim())).name);
      const image = `${registry.host}/default/python:latest`;
      await run("podman", podman("pull", "-q", "--tls-verify=false", image));
      const port = await freePort();
      // Never more than the test itself may have.
      const limits = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1000:1000"];
      const how = ["run", "-d", "--name", "fn", "--read-only", "--network", "host", ...limits, "-e", `PORT=${port}`];
      await run("podman", podman(...how, image));
      try {
        expect(await answerOf(`http://127.0.0.1:${port}/there`, () => "see podman")).toContain("Hello from Python");
      } finally {
        await run("podman", podman("rm", "-f", "-t", "1", "fn"));
      }
    },
    90_000,
  );
});

test.skipIf(!has("skopeo") || !has("docker-registry"))(
  "skopeo copies an image to the distribution project's registry and back, digest and all",
  async () => {
    const elsewhere = await startDistribution();
    try {
      const plain = ["--src-tls-verify=false", "--dest-tls-verify=false"];
      const copy = async (from: string, to: string) =>
        await run("skopeo", ["copy", "--quiet", "--preserve-digests", ...plain, `docker://${from}`, `docker://${to}`]);
      await copy(`${registry.host}/default/hello:latest`, `${elsewhere.host}/there/hello:v1`);
      await copy(`${elsewhere.host}/there/hello:v1`, `${registry.host}/back/hello:v2`);
      expect(own.store.find("dev.local/back/hello:v2")?.digest).toBe(own.store.find("dev.local/default/hello")?.digest);
    } finally {
      await elsewhere.close();
    }
  },
  60_000,
);

test.skipIf(!has("crane"))("crane lists, copies and deletes", async () => {
  const crane = async (...words: readonly string[]) => (await run("crane", words)).stdout.trim();
  expect(await crane("ls", `${registry.host}/default/hello`)).toContain("latest");
  await crane("copy", `${registry.host}/default/hello:latest`, `${registry.host}/copied/hello:v1`);
  const digest = await crane("digest", `${registry.host}/copied/hello:v1`);
  expect(digest).toBe(own.store.find("dev.local/default/hello")?.digest);
  await crane("delete", `${registry.host}/copied/hello@${digest}`);
  expect(own.store.find("dev.local/copied/hello:v1")).toBeUndefined();
});
