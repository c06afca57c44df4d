/** What is built here runs elsewhere: under containerd and podman, which pull it from ebb's own registry. */
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tmpdir } from "node:os";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildFunction } from "../../src/functions/build/build-function.ts";
import { detectSource } from "../../src/functions/build/detect.ts";
import { makeNodeBase } from "../../src/images/base/node-base.ts";
import { makePythonBase } from "../../src/images/base/python-base.ts";
import { buildImage } from "../../src/images/build-image.ts";
import { openImageStore, type ImageStore } from "../../src/images/store.ts";
import { startEbb } from "./ebb-process.ts";
import { has, startDistribution, startOurs, temporaryStore, type RunningRegistry } from "../registry/registries.ts";
import { freePort } from "../free-port.ts";

for (const [program, what] of Object.entries({
  crane: "listing, copying and deleting with crane are NOT tested",
  ko: "pushing with ko and serving what it pushed are NOT tested",
}))
  if (!has(program)) process.stderr.write(`built-images.test.ts: no ${program}: ${what}\n`);

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

/** Of few packages: net/http takes Go most of a minute to compile. */
const goProgram = `package main

import (
	"bufio"
	"net"
	"os"
)

func main() {
	listener, err := net.Listen("tcp", ":"+os.Getenv("PORT"))
	for err == nil {
		var connection net.Conn
		if connection, err = listener.Accept(); err == nil {
			go answer(connection)
		}
	}
	panic(err)
}

func answer(connection net.Conn) {
	defer connection.Close()
	lines := bufio.NewReader(connection)
	for line := ""; line != "\\r\\n"; {
		var err error
		if line, err = lines.ReadString('\\n'); err != nil {
			return
		}
	}
	connection.Write([]byte("HTTP/1.1 200 OK\\r\\nContent-Length: 14\\r\\nConnection: close\\r\\n\\r\\nHello from ko\\n"))
}
`;

test.skipIf(!root || !has("ko") || !has("go") || !has("kubectl") || !has("runc"))(
  "ko builds over a base of ebb's registry, pushes there, and a Service runs it (as root, with go, kubectl and runc)",
  async () => {
    const source = join(scratch, "ko");
    mkdirSync(source);
    writeFileSync(join(source, "go.mod"), "module example.com/hello\n\ngo 1.21\n");
    writeFileSync(join(source, "main.go"), goProgram);
    const ebb = await startEbb({ args: ["--registry-port", "0"] });
    try {
      const store = openImageStore(join(ebb.dir, "images"));
      const files = [{ path: "etc/passwd", content: "nonroot:x:65532:65532::/:/sbin/nologin\n" }];
      await buildImage(store, "dev.local/team/base:1", { layers: [{ kind: "files", files }], config: {} });
      store.close();
      const facts = JSON.parse(readFileSync(join(ebb.dir, "ebb.json"), "utf8")) as { readonly registryUrl: string };
      const { host } = new URL(facts.registryUrl);
      const env = { ...process.env, KO_DOCKER_REPO: `${host}/team`, KO_DEFAULTBASEIMAGE: `${host}/team/base:1` };
      const { stdout } = await run("ko", ["build", "--base-import-paths", "."], { cwd: source, env });
      const image = stdout.trim();
      expect(image).toMatch(new RegExp(`^${host}/team/hello@sha256:[0-9a-f]{64}$`));
      const service = { apiVersion: "serving.knative.dev/v1", kind: "Service", metadata: { name: "ko" } };
      const spec = { template: { spec: { containers: [{ image }] } } };
      const applied = await ebb.kubectl(["apply", "-f", "-"], { stdin: JSON.stringify({ ...service, spec }) });
      expect(applied, applied.stderr).toMatchObject({ code: 0 });
      const ready = await ebb.kubectl(["wait", "ksvc/ko", "--for=condition=Ready", "--timeout=30s"]);
      expect(ready, `${ready.stderr}${(await ebb.kubectl(["get", "ksvc,pods", "-o", "yaml"])).stdout}`).toMatchObject({
        code: 0,
      });
      expect(await ebb.call("ko.default.localhost")).toMatchObject({ status: 200, body: "Hello from ko\n" });
      // Its SBOM is filed the way cosign files them, under a tag that tells of which image it is.
      const tags = await fetch(`http://${host}/v2/team/hello/tags/list`);
      expect(await tags.json()).toMatchObject({ tags: ["latest", `${image.split("@")[1]?.replace(":", "-")}.sbom`] });
    } finally {
      await ebb.stop();
    }
  },
  180_000,
);
