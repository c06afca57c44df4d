/** Ten thousand requests for a service that cannot start: each is answered in its time, and nothing is left of them. */
import { readFileSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { eventually, startEbb, type EbbProcess } from "./ebb-process.ts";

vi.setConfig({ testTimeout: 120_000 });

const requests = 10_000;
/** Connections opened at once: fewer than the system keeps waiting to be accepted. */
const atOnce = 500;
const timeoutS = 15;

let ebb: EbbProcess;
let trap: string;
beforeAll(async () => {
  ebb = await startEbb();
  trap = join(ebb.dir, "trap");
});
afterAll(() => ebb.stop());

/** A Service that starts well until the file `trap` is there: then its start does what `then` says. Asleep at the end. */
async function deployTrapped(name: string, then: string): Promise<void> {
  const source = join(ebb.dir, `${name}.ts`);
  await writeFile(
    source,
    `import { existsSync } from "node:fs";
    if (existsSync(${JSON.stringify(trap)})) ${then}
    export default { fetch: () => new Response("up") };`,
  );
  const window = "autoscaling.knative.dev/window=6s";
  const options = ["--name", name, "--timeout", String(timeoutS), "--annotation", window];
  expect(await ebb.ebb("deploy", source, ...options)).toMatchObject({ code: 0 });
  let pods = "";
  await eventually(
    `${name} sleeps`,
    async () => {
      const got = await ebb.kubectl(["get", "pods", "-l", `serving.knative.dev/service=${name}`, "-o", "name"]);
      pods = got.stdout;
      return got.code === 0 && pods.trim() === "" ? true : undefined;
    },
    { deadlineMs: 60_000, everyMs: 500, seen: () => pods },
  );
}

interface Answered {
  readonly status: number;
  readonly ms: number;
}

/** One request on a connection of its own; status 0 when the connection ended without an answer. */
function ask(host: string, opened: () => void): Promise<Answered> {
  const { hostname, port } = new URL(ebb.routerUrl);
  const began = performance.now();
  return new Promise((resolve) => {
    let text = "";
    const socket: Socket = connect({ host: hostname, port: Number(port) }, () => {
      socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
      opened();
    });
    socket.setEncoding("latin1");
    socket.on("data", (chunk: string) => (text += chunk));
    socket.on("error", () => undefined);
    socket.on("close", () => {
      opened();
      resolve({ status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0), ms: performance.now() - began });
    });
  });
}

async function askMany(host: string, count: number): Promise<readonly Promise<Answered>[]> {
  const answers: Promise<Answered>[] = [];
  let begun = 0;
  const next = async (): Promise<void> => {
    while (begun < count) {
      begun++;
      await new Promise<void>((opened) => void answers.push(ask(host, opened)));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, next));
  return answers;
}

const rssOf = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024;

const host = (name: string): string => `${name}.default.localhost`;

function counted(answers: readonly Answered[]): Readonly<Record<number, number>> {
  const counts: Record<number, number> = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

test("one that never gets up: all wait, the next one is turned away at once, each gets 504 in time, in bounded memory", async () => {
  await deployTrapped("hangs", "await new Promise((done) => setTimeout(done, 1e6));");
  await writeFile(trap, "");
  const before = rssOf(ebb.pid);
  const waiting = await askMany(host("hangs"), requests);
  const oneMore = await ebb.call(host("hangs"));
  expect(oneMore).toMatchObject({ status: 503, body: "pending request queue full\n" });
  expect(oneMore.headers["retry-after"]).toBeDefined();
  // Requests to others pass by the queue.
  expect((await ebb.call("nobody.localhost")).status).toBe(404);
  const more = rssOf(ebb.pid) - before;
  const answers = await Promise.all(waiting);
  expect(counted(answers)).toEqual({ 504: requests });
  const slowest = Math.max(...answers.map(({ ms }) => ms));
  // Ten thousand answers take this machine a while, more so beside other tests.
  expect(slowest).toBeLessThan((timeoutS + 15) * 1000);
  // Some 12 kB for a request that waits, its connection included.
  expect(more).toBeLessThan(requests * 16_384);
});

test("one whose start fails: each is told so, long before its time is up", async () => {
  await rm(trap, { force: true });
  await deployTrapped("fails", 'throw new Error("no database here");');
  await writeFile(trap, "");
  const answers = await Promise.all(await askMany(host("fails"), requests));
  expect(counted(answers)).toEqual({ 503: requests });
  expect(Math.max(...answers.map(({ ms }) => ms))).toBeLessThan(timeoutS * 1000);
  // Whoever comes when it can start again is served.
  await rm(trap);
  await eventually("it serves again", async () => ((await ebb.call(host("fails"))).status === 200 ? true : undefined));
});
