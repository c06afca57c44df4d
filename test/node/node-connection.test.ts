import { duplexPair, PassThrough, type Duplex } from "node:stream";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { LogOptions, NodeConnection } from "../../src/api/node-connection.ts";
import { createNodeConnection } from "../../src/node/connection/node-connection.ts";
import { createUsageMeter } from "../../src/node/connection/usage-meter.ts";
import { makePod, openPodBench, type PodBench } from "./process-pods.ts";

let bench: PodBench;
let connection: NodeConnection;
beforeEach(() => {
  bench = openPodBench();
  connection = createNodeConnection({
    runner: (uid) => bench.provider.runner(uid),
    usage: createUsageMeter(bench.clock, () => bench.provider.runners()),
  });
});
afterEach(() => bench.close());

const signal = (): AbortSignal => AbortSignal.timeout(10_000);
const reference = (name: string) => ({ namespace: "default", name, uid: `uid-${name}` });
const query: LogOptions = { follow: false, previous: false, timestamps: false, stream: "All" };

async function logs(name: string, options: Partial<LogOptions> = {}): Promise<string> {
  let text = "";
  for await (const chunk of connection.containerLogs(reference(name), "main", { ...query, ...options }, signal())) {
    text += Buffer.from(chunk).toString();
  }
  return text;
}

async function start(name: string, image: string, stdin = false): Promise<void> {
  const pod = makePod(name, image);
  const [container] = pod.spec.containers;
  bench.provider.setPod({ ...pod, spec: { ...pod.spec, containers: [{ ...container!, stdin }] } });
  await bench.until("ready", () => bench.status(`uid-${name}`)?.containerStatuses?.[0]?.ready);
}

function collect(): { readonly stream: PassThrough; readonly text: () => string } {
  const stream = new PassThrough();
  let text = "";
  stream.on("data", (chunk: Buffer) => (text += chunk.toString()));
  return { stream, text: () => text };
}

test("logs of a running container can be read, and followed to its end", async () => {
  await start("web", "talks-back");
  await expect.poll(() => logs("web")).toBe("ready to talk\n");
  const following = logs("web", { follow: true });
  await bench.provider.deletePod("uid-web", 2_000);
  expect(await following).toBe("ready to talk\n");
});

test("logs of the start before are kept, and asking for one that was not is refused", async () => {
  bench.provider.setPod(makePod("crash", "exits-with-3"));
  await bench.until("two starts", () => bench.status("uid-crash")?.containerStatuses?.[0]?.restartCount === 2);
  expect(await logs("crash")).toBe("cannot find the moon\n");
  expect(await logs("crash", { previous: true })).toBe("cannot find the moon\n");
  await start("web", "talks-back");
  await expect(logs("web", { previous: true })).rejects.toThrow(
    'previous terminated container "main" in pod "web" not found',
  );
  bench.provider.setPod(makePod("foreign", "nginx"));
  await bench.until("waiting", () => bench.status("uid-foreign")?.containerStatuses?.[0]?.state?.waiting?.message);
  await expect(logs("foreign")).rejects.toThrow('container "main" in pod "foreign" is waiting to start: ErrImagePull');
});

test("exec runs in the container's environment, both ways, and gives the exit code", async () => {
  await start("web", "talks-back");
  const out = collect();
  const err = collect();
  const stdin = new PassThrough();
  stdin.end("to stdin\n");
  const code = await connection.exec(
    reference("web"),
    "main",
    ["sh", "-c", "cat; echo $HOSTNAME; echo oops >&2; exit 7"],
    { stdin, stdout: out.stream, stderr: err.stream, tty: false },
    signal(),
  );
  expect([code, out.text(), err.text()]).toEqual([7, "to stdin\nweb\n", "oops\n"]);
  const none = await connection.exec(
    reference("web"),
    "main",
    ["no-such-command"],
    { stderr: err.stream, tty: false },
    signal(),
  );
  expect([none, err.text()]).toEqual([127, expect.stringContaining("no-such-command")]);
});

test("exec beside a function sees the port it really has", async () => {
  await start("fn", "fetch-function");
  const out = collect();
  await connection.exec(
    reference("fn"),
    "main",
    ["sh", "-c", "echo $PORT"],
    { stdout: out.stream, tty: false },
    signal(),
  );
  const running = bench.provider.runner("uid-fn")?.container("main")?.running;
  expect(out.text()).toBe(`${running?.address?.port}\n`);
});

test("exec with a terminal gives the command one", async () => {
  await start("web", "talks-back");
  const out = collect();
  const code = await connection.exec(
    reference("web"),
    "main",
    ["sh", "-c", "test -t 0 && test -t 1 && stty size; exit 5"],
    { stdout: out.stream, tty: true, resize: sizes([{ width: 91, height: 31 }]) },
    signal(),
  );
  expect(code).toBe(5);
  expect(out.text()).toBe("31 91\r\n");
});

async function* sizes<T>(values: readonly T[]): AsyncGenerator<T> {
  for (const value of values) yield await Promise.resolve(value);
}

test("exec ends with its signal, and its children too", async () => {
  await start("web", "talks-back");
  const stop = new AbortController();
  const out = collect();
  const running = connection.exec(
    reference("web"),
    "main",
    ["sh", "-c", "sleep 100 & echo started; wait"],
    { stdout: out.stream, tty: false },
    stop.signal,
  );
  await expect.poll(out.text).toBe("started\n");
  stop.abort();
  expect(await running).toBe(137);
});

test("attach joins the container's own streams", async () => {
  await start("chat", "talks-back", true);
  const out = collect();
  const stdin = new PassThrough();
  const leave = new AbortController();
  const attached = connection.attach(
    reference("chat"),
    "main",
    { stdin, stdout: out.stream, tty: false },
    leave.signal,
  );
  stdin.write("hello\n");
  await expect.poll(out.text).toBe("you said hello\n");
  leave.abort();
  await attached;
});

test("port-forward reaches the private port behind the declared one", async () => {
  await start("web", "talks-back");
  const [mine, theirs]: readonly Duplex[] = duplexPair();
  const forwarding = connection.portForward(reference("web"), 8080, theirs!, signal());
  mine!.write("echo me");
  expect(String(await new Promise((resolve) => mine!.once("data", resolve)))).toBe("echo me");
  mine!.end();
  await forwarding;
});

test("a forwarded connection that the caller drops is no failure of forwarding", async () => {
  await start("web", "talks-back");
  const [mine, theirs]: readonly Duplex[] = duplexPair();
  const forwarding = connection.portForward(reference("web"), 8080, theirs!, signal());
  mine!.write("echo me");
  await new Promise((resolve) => mine!.once("data", resolve));
  theirs!.destroy();
  await forwarding;
});

test("usage tells CPU and memory of every container", async () => {
  await start("web", "talks-back");
  const [pod] = connection.usage();
  expect(pod).toMatchObject({ namespace: "default", name: "web", uid: "uid-web" });
  expect(pod?.containers[0]?.name).toBe("main");
  expect(pod?.containers[0]?.memoryBytes).toBeGreaterThan(10_000_000);
  expect(pod?.containers[0]?.cpuNanoCores).toBeGreaterThan(1_000_000);
  expect(connection.nodeUsage().memoryBytes).toBeGreaterThan(100_000_000);
});
