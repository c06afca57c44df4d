/**
 * The Node host: a small program that serves one function. Started by ebb it listens, and waits for a claim to tell it
 * which function to load; as `node node.cjs serve` it is told by flags and environment, and stands alone.
 */
import type { ClaimMessage, HostMessage } from "../protocol.ts";
import { becomeFunction } from "./become-function.ts";
import { createDrain } from "./drain.ts";
import { serveFunction } from "./function-server.ts";
import { listenQuickly } from "./listen-quickly.ts";
import { createLocalDoor } from "./local-door.ts";
import { resolveLocalhostNames } from "./localhost-names.ts";
import { rehearse } from "./rehearse.ts";
import { say } from "./say.ts";
import { installWebGlobals } from "./web-globals.ts";

// getBuiltinModule, not import: importing node:http by name evaluates every export, and one of them loads undici (35 ms).
const http = process.getBuiltinModule("node:http");
const server = http.createServer({ keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0, noDelay: true });
const door = createLocalDoor(server, `\0ebb-host-${process.pid}-${process.hrtime.bigint()}`);
const drain = createDrain(door);
installWebGlobals();
resolveLocalhostNames();

/** Serves what ebb asks for over descriptor 3, on a port of the system's choice. */
function serveClaim(): void {
  const { Socket } = process.getBuiltinModule("node:net");
  const control = new Socket({ fd: 3 });
  const send = (message: HostMessage): void => void control.write(`${JSON.stringify(message)}\n`);
  const listening = Promise.all([listen(), door.open()]).then(([port]) => port);
  /** The reason goes out before the exit because the control socket is flushed first. */
  const fail = (error: unknown): void => {
    const { reason, text } = say(error);
    const message = { type: "failed", reason, message: text } satisfies HostMessage;
    control.end(`${JSON.stringify(message)}\n`, () => process.exit(1));
  };
  const serve = async (message: ClaimMessage, port: number): Promise<void> => {
    becomeFunction(message, port);
    const by = await serveFunction({ server, port, drain, isOpen: false }, message, fail);
    if (by === "own-server") door.shut();
  };
  const claim = async (message: ClaimMessage): Promise<void> => {
    // Not performance.now(): its first use takes longer than all else here.
    const began = process.hrtime.bigint();
    const port = await listening;
    try {
      await serve(message, port);
      const path = door.path();
      const loadMs = Number(process.hrtime.bigint() - began) / 1e6;
      send({ type: "ready", port, ...(path === undefined ? {} : { path }), loadMs });
    } catch (error) {
      fail(error);
    }
  };
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
  /** Hosts of the pool are told to wait; one started for a claim has it in its socket already. */
  if (process.argv[2] === "--warm") {
    void listening
      .then((port) => rehearse(serve, { server, port, path: door.path(), drain }))
      .then(() => {
        const path = door.path();
        send({ type: "idle", ...(path === undefined ? {} : { path }) });
      }, fail);
  }
}

/** `serve`: the whole of the settings is in flags and environment; listens when the function is loaded, not before. */
async function serveAlone(): Promise<void> {
  const { readServeSettings } = await import("./serve-settings.ts");
  const fail = (error: unknown): void => {
    say(error);
    process.exit(1);
  };
  try {
    const settings = readServeSettings(process.argv.slice(3), process.env, process.cwd());
    process.env["PORT"] = String(settings.port);
    const isOpen = ["0.0.0.0", "::"].includes(settings.host);
    const by = await serveFunction({ server, port: settings.port, drain, isOpen }, settings, fail);
    if (by === "host") await listen(settings);
  } catch (error) {
    fail(error);
  }
}

/** Where it is told, else on the loopback and a port of the system's choice. */
function listen(where?: { readonly port: number; readonly host: string }): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.once("listening", () => {
      server.off("error", reject);
      resolve((server.address() as { readonly port: number }).port);
    });
    if (where) server.listen({ port: where.port, host: where.host, backlog: 4096 });
    else listenQuickly(server, { port: 0 });
  });
}

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.on(signal, () => void drain.start().then(() => process.exit(0)));
}
if (process.argv[2] === "serve") void serveAlone();
else serveClaim();
