/**
 * The Node host: a small program that starts, listens, and waits for a claim to tell it which function to load.
 * Runs in a process of its own with nothing of the platform's environment. Modules beside this file only, so that it
 * can be stripped to plain JavaScript file by file.
 */
import type { ClaimMessage, HostMessage } from "../protocol.ts";
import { createDrain } from "./drain.ts";
import { fetchListener } from "./fetch-listener.ts";
import { LoadError, loadHandler } from "./load.ts";
import { adoptListener } from "./own-server.ts";
import { warmUp } from "./warm-up.ts";
import { installWebGlobals } from "./web-globals.ts";
import { WebResponse } from "./web-response.ts";

// getBuiltinModule, not import: importing node:http by name evaluates every export, and one of them loads undici (35 ms).
const http = process.getBuiltinModule("node:http");
const { Socket } = process.getBuiltinModule("node:net");

const control = new Socket({ fd: 3 });
const send = (message: HostMessage): void => {
  control.write(`${JSON.stringify(message)}\n`);
};

const server = http.createServer({ keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0, noDelay: true });
const listening = new Promise<number>((resolve, reject) => {
  server.once("error", reject);
  server.listen(0, "127.0.0.1", 4096, () => resolve((server.address() as { readonly port: number }).port));
});
const drain = createDrain(server);
installWebGlobals();

async function claim(message: ClaimMessage): Promise<void> {
  const start = performance.now();
  const port = await listening;
  becomeFunction(message, port);
  const own = adoptListener(server, port);
  const timeout = setTimeout(
    () => fail(new LoadError("LoadTimeout", `the function was not loaded within ${message.loadTimeoutMs} ms`)),
    message.loadTimeoutMs,
  );
  try {
    const loaded = await loadHandler(message, drain);
    if (loaded === "own-server") drain.follow(await own.listening());
    else {
      server.on("request", loaded.request);
      if (loaded.upgrade) server.on("upgrade", loaded.upgrade);
    }
    send({ type: "ready", port, loadMs: performance.now() - start });
  } catch (error) {
    fail(error);
  } finally {
    clearTimeout(timeout);
  }
}

/** Takes over the environment, directory and user of the function; nothing of the host's own remains visible. */
function becomeFunction(message: ClaimMessage, port: number): void {
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, message.env, { PORT: String(port) });
  process.chdir(message.cwd);
  if (message.compileCache !== undefined && isLarge(message.entry)) {
    process.getBuiltinModule("node:module").enableCompileCache(message.compileCache);
  }
  if (message.user) {
    try {
      process.setgroups?.([message.user.gid]);
      process.setgid?.(message.user.gid);
      process.setuid?.(message.user.uid);
    } catch (error) {
      fail(new LoadError("UserNotAllowed", `cannot become user ${message.user.uid}: ${String(error)}`));
    }
  }
}

/** Below this, compiling again is quicker than looking up what was compiled. */
const isLarge = (file: string): boolean =>
  (process.getBuiltinModule("node:fs").statSync(file, { throwIfNoEntry: false })?.size ?? 0) > 64 * 1024;

/** Reports why and ends; the reason goes out before the exit because the control socket is flushed first. */
function fail(error: unknown): void {
  const reason = error instanceof LoadError ? error.reason : "ImportFailed";
  const text = error instanceof LoadError ? error.message : describe(error);
  process.stderr.write(`${text}\n`);
  control.end(`${JSON.stringify({ type: "failed", reason, message: text } satisfies HostMessage)}\n`, () =>
    process.exit(1),
  );
}

/** With the stack as far as it is the function's own: the loader's frames say nothing to its owner. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const lines = (error.stack ?? error.message).split("\n");
  return lines.filter((line) => !/^\s+at .*\(node:internal\//.test(line)).join("\n");
}

let text = "";
control.setEncoding("utf8");
control.on("data", (chunk: string) => {
  text += chunk;
  const end = text.indexOf("\n");
  if (end < 0) return;
  const message = JSON.parse(text.slice(0, end)) as ClaimMessage;
  text = text.slice(end + 1);
  void claim(message);
});
// ebb is gone: nobody would route to this process or end it.
control.on("close", () => process.exit(0));
control.on("error", () => process.exit(0));

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.on(signal, () => void drain.start().then(() => process.exit(0)));
}
/** Hosts of the pool are told to warm up; one started for a claim has it in its socket already. */
if (process.argv[2] === "--warm") {
  const hello = fetchListener({ fetch: (request) => new WebResponse((request as Request).url) }, {}, drain);
  void listening.then((port) => warmUp(server, port, hello)).then(() => send({ type: "idle" }));
}
