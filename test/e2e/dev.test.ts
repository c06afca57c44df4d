/** `ebb dev` as a developer uses it: a real process, real edits, real requests. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, expect, test } from "vitest";
import { WebSocket } from "ws";

const root = resolve(import.meta.dirname, "../..");
const work = mkdtempSync(join(tmpdir(), "ebb-dev-test-"));
const dataDir = join(work, "data");
const started: ChildProcess[] = [];

interface Event {
  readonly type: string;
  readonly [field: string]: unknown;
}

interface DevProcess {
  readonly dir: string;
  readonly url: string;
  readonly child: ChildProcess;
  readonly listening: { readonly functions: readonly { readonly inspectPort?: number }[] };
  write(file: string, text: string): void;
  /** The next event of a type, from those after the last one asked for. */
  next(type: string): Promise<Event>;
  get(path?: string, headers?: Readonly<Record<string, string>>): Promise<Response>;
}

async function startDev(files: Readonly<Record<string, string>>, args: readonly string[] = []): Promise<DevProcess> {
  const dir = mkdtempSync(join(work, "f-"));
  const write = (file: string, text: string): void => {
    mkdirSync(dirname(join(dir, file)), { recursive: true });
    writeFileSync(join(dir, file), text);
  };
  for (const [file, text] of Object.entries(files)) write(file, text);
  const words = [join(root, "bin/ebb.js"), "dev", ".", "--port", "0", "--json", "--data", dataDir, ...args];
  const child = spawn(process.execPath, words, { cwd: dir, stdio: ["ignore", "pipe", "pipe"] });
  started.push(child);
  const events: Event[] = [];
  let errors = "";
  let wake = (): void => undefined;
  child.stderr.on("data", (chunk) => (errors += chunk));
  createInterface({ input: child.stdout }).on("line", (line) => {
    events.push(JSON.parse(line) as Event);
    wake();
  });
  const next = async (type: string): Promise<Event> => {
    const end = performance.now() + 20_000;
    for (;;) {
      const at = events.findIndex((event) => event.type === type);
      if (at >= 0) return events.splice(0, at + 1).at(-1) ?? { type };
      if (performance.now() > end || child.exitCode !== null)
        throw new Error(`no "${type}" came; seen: ${JSON.stringify(events)} ${errors}`);
      await new Promise<void>((done) => {
        wake = done;
        setTimeout(done, 100);
      });
    }
  };
  const listening = (await next("listening")) as unknown as DevProcess["listening"] & { readonly port: number };
  const url = `http://127.0.0.1:${listening.port}`;
  const get: DevProcess["get"] = (path = "/", headers = {}) => fetch(url + path, { headers });
  return { dir, url, child, listening, write, next, get };
}

afterAll(async () => {
  for (const child of started)
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGINT");
      await once(child, "exit");
    }
  rmSync(work, { recursive: true, force: true });
});

const answering = (words: string): string => `import { word } from "./lib/word.ts";
export default {
  async fetch(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === "/slow") await new Promise((done) => setTimeout(done, 1000));
    if (pathname === "/fail") {
      throw new TypeError("wrong turn");
    }
    return new Response(\`${words} \${word} \${process.env["NAME"]}\`);
  },
};
`;

/** Asks until the answer is the one wanted; resolves to how long that took. */
async function untilAnswers(dev: DevProcess, wanted: string, since: number): Promise<number> {
  for (let seen = ""; ;) {
    seen = await (await dev.get()).text();
    if (seen === wanted) return performance.now() - since;
    if (performance.now() - since > 10_000) throw new Error(`still answers "${seen}" after 10 s, not "${wanted}"`);
    await new Promise((done) => setTimeout(done, 5));
  }
}

test("edits are live at once, broken ones are told of while the last good version answers", async () => {
  const dev = await startDev({
    "index.ts": answering("one"),
    "lib/word.ts": 'export const word = "w";',
    ".env": "NAME=file",
  });
  await dev.next("live");
  expect(await (await dev.get()).text()).toBe("one w file");

  // Five edits, so that one slow turn of a busy machine does not decide.
  const times: number[] = [];
  for (const word of ["a", "b", "c", "d", "e"]) {
    const saved = performance.now();
    dev.write("lib/word.ts", `export const word = "${word}";`);
    times.push(await untilAnswers(dev, `one ${word} file`, saved));
  }
  expect(Math.min(...times)).toBeLessThan(300);

  const slow = dev.get("/slow");
  await new Promise((done) => setTimeout(done, 100));
  const since = performance.now();
  // As editors do: write aside, rename over.
  dev.write("index.ts.new", answering("two"));
  renameSync(join(dev.dir, "index.ts.new"), join(dev.dir, "index.ts"));
  await untilAnswers(dev, "two e file", since);
  expect(await (await slow).text()).toBe("one e file");

  dev.write(".env", "NAME=changed");
  await untilAnswers(dev, "two e changed", performance.now());

  dev.write("lib/word.ts", 'export const word = "x;\n');
  const broken = await dev.next("broken");
  expect(broken).toMatchObject({
    problem: { place: { file: "lib/word.ts", line: 1 }, summary: "Unterminated string literal" },
  });
  const answer = await dev.get();
  expect(answer.status).toBe(200);
  expect(answer.headers.get("x-ebb-build-error")).toMatch(/^lib\/word\.ts:1:\d+: Unterminated string literal$/);
  expect(await answer.text()).toBe("two e changed");
  const page = await (await dev.get("/", { accept: "text/html", "sec-fetch-dest": "document" })).text();
  expect(page).toContain("Unterminated string literal");
  expect(page).toContain("two e changed");

  rmSync(join(dev.dir, "lib/word.ts"));
  expect(await dev.next("broken")).toMatchObject({ problem: { summary: 'Could not resolve "./lib/word.ts"' } });
  dev.write("lib/word.ts", 'export const word = "back";');
  await untilAnswers(dev, "two back changed", performance.now());
  expect((await dev.get()).headers.get("x-ebb-build-error")).toBeNull();

  dev.write("index.ts", 'throw new Error("at load");');
  expect(await dev.next("broken")).toMatchObject({ problem: { kind: "load", place: { file: "index.ts", line: 1 } } });
  expect(await (await dev.get()).text()).toBe("two back changed");
});

test("a request that fails is answered with its stack in terms of the source", async () => {
  const dev = await startDev({ "index.ts": answering("one"), "lib/word.ts": 'export const word = "w";' });
  const failed = await dev.get("/fail");
  expect(failed.status).toBe(500);
  const text = await failed.text();
  expect(text).toContain("index.ts:7:13: TypeError: wrong turn");
  expect(text).toContain('> 7 |       throw new TypeError("wrong turn");');
  const json = (await (await dev.get("/fail", { accept: "application/json" })).json()) as object;
  expect(json).toMatchObject({ error: "TypeError: wrong turn", at: { file: "index.ts", line: 7 } });
});

test("what is broken from the start is told to every caller until it is mended", async () => {
  const dev = await startDev({ "index.ts": "export default {\n  fetch( { }\n};" });
  const answer = await dev.get();
  expect(answer.status).toBe(503);
  expect(await answer.text()).toMatch(/^\S+ does not build\n\nindex\.ts:/);
  dev.write("index.ts", 'export default { fetch: () => new Response("mended") };');
  await untilAnswers(dev, "mended", performance.now());
});

test("a folder of functions answers on one port, and each is rebuilt by itself", async () => {
  const dev = await startDev({
    "a/index.ts": 'export default { fetch: (r: Request) => new Response("a " + new URL(r.url).pathname) };',
    "b.js": "exports.handler = undefined; module.exports = (req, res) => res.end('b ' + process.env.WHO);",
    ".dev.vars": "WHO=me",
  });
  expect(await (await dev.get("/a/x")).text()).toBe("a /x");
  expect(await (await dev.get("/b")).text()).toBe("b me");
  expect((await dev.get("/c")).status).toBe(404);
  expect(await (await dev.get("/")).text()).toContain("/a/");
});

test("a debugger attaches, stops at a line and reads a variable; after an edit it finds the new version", async () => {
  const source = (n: number): string =>
    `export default {\n  fetch(request: Request) {\n    const n = ${n};\n    return new Response(String(n));\n  },\n};\n`;
  const port = 20_000 + Math.floor(Math.random() * 20_000);
  const dev = await startDev({ "index.ts": source(1) }, [`--inspect=${port}`]);
  await dev.next("live");
  expect(dev.listening.functions[0]?.inspectPort).toBe(port);
  expect(await stopAndRead(dev, port)).toBe("1");
  dev.write("index.ts", source(2));
  await dev.next("live");
  expect(await stopAndRead(dev, port)).toBe("2");
});

/** Breaks at the `return` of the bundle, calls the function and evaluates `n` there. */
async function stopAndRead(dev: DevProcess, port: number): Promise<string> {
  const [target] = (await (await fetch(`http://127.0.0.1:${port}/json/list`)).json()) as {
    readonly webSocketDebuggerUrl: string;
  }[];
  const socket = new WebSocket(target?.webSocketDebuggerUrl ?? "");
  await once(socket, "open");
  const waiting = new Map<number, (result: Record<string, unknown>) => void>();
  let ids = 0;
  const send = (method: string, params: object = {}): Promise<Record<string, unknown>> => {
    ids += 1;
    socket.send(JSON.stringify({ id: ids, method, params }));
    return new Promise((done) => waiting.set(ids, done));
  };
  const paused = new Promise<{ readonly callFrames: readonly { readonly callFrameId: string }[] }>((done) => {
    socket.on("message", (data: Buffer) => {
      const message = JSON.parse(data.toString("utf8"));
      if (message.method === "Debugger.paused") done(message.params);
      else waiting.get(message.id)?.(message.result);
    });
  });
  await send("Debugger.enable");
  const { locations } = (await send("Debugger.setBreakpointByUrl", {
    urlRegex: ".*/app/index\\.mjs$",
    lineNumber: bundleLine(dev),
  })) as { readonly locations: readonly object[] };
  expect(locations).not.toEqual([]);
  const answer = dev.get();
  const { callFrames } = await paused;
  const { result } = (await send("Debugger.evaluateOnCallFrame", {
    callFrameId: callFrames[0]?.callFrameId,
    expression: "String(n)",
  })) as { readonly result: { readonly value: string } };
  await send("Debugger.resume");
  expect(await (await answer).text()).toBe(result.value);
  socket.close();
  return result.value;
}

/** The line of `return` in the version that runs, from 0. */
function bundleLine(dev: DevProcess): number {
  const name = dev.dir.split("/").at(-1)?.toLowerCase() ?? "";
  const work = readdirSync(tmpdir()).find((entry) => entry.startsWith(`ebb-dev-${dev.child.pid}-`)) ?? "";
  const [service = ""] = readdirSync(join(tmpdir(), work));
  expect(name.replaceAll(/[^a-z0-9]+/g, "-")).toContain(service);
  const versions = readdirSync(join(tmpdir(), work, service))
    .map(Number)
    .toSorted((a, b) => b - a);
  const text = readFileSync(join(tmpdir(), work, service, String(versions[0]), "app/index.mjs"), "utf8");
  return text.split("\n").findIndex((line) => line.includes("return new Response"));
}

test("Ctrl-C ends it and everything it has started", async () => {
  const dev = await startDev({ "index.ts": answering("one"), "lib/word.ts": 'export const word = "w";' });
  await dev.get();
  const pid = dev.child.pid ?? 0;
  const children = childrenOf(pid);
  expect(children.length).toBeGreaterThan(0);
  dev.child.kill("SIGINT");
  const [code] = await once(dev.child, "exit");
  expect(code).toBe(0);
  expect(children.filter((child) => isAlive(child))).toEqual([]);
  expect(readdirSync(tmpdir()).filter((entry) => entry.startsWith(`ebb-dev-${pid}-`))).toEqual([]);
});

function childrenOf(pid: number): readonly number[] {
  return readdirSync("/proc").flatMap((entry) => {
    if (!/^\d+$/.test(entry)) return [];
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, "utf8");
      const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
      return parent === pid ? [Number(entry)] : [];
    } catch {
      // Ended while being looked at.
      return [];
    }
  });
}

function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2, stat.lastIndexOf(")") + 3) !== "Z";
  } catch {
    return false;
  }
}
