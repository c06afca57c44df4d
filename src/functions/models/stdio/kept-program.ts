import type { ChildProcess } from "node:child_process";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { answerError } from "../../hosts/node/answer-error.ts";
import { createGate } from "../gate.ts";
import { endProgram, explainSpawnError, sayExit } from "../program.ts";
import { sendText } from "../send.ts";
import { requestId } from "../request-id.ts";
import type { StdioSettings } from "./stdio-settings.ts";

/** A program that stays and is given one request after the other. */
export interface KeptProgram {
  request(req: IncomingMessage, res: ServerResponse): void;
  end(): void;
}

/**
 * Requests go to the program's standard input as HTTP/1.1, and its answers come from its standard output: any HTTP server
 * that works on a pair of pipes is a function. It is started with the first request, and again after it has ended.
 */
export function keepProgram(settings: StdioSettings, env: Readonly<Record<string, string>>): KeptProgram {
  const gate = createGate(1, 10_000);
  let kept: ChildProcess | undefined;
  const start = (): ChildProcess => {
    if (kept) return kept;
    const { spawn } = process.getBuiltinModule("node:child_process");
    const child = spawn(settings.file, settings.args, { env, stdio: ["pipe", "pipe", "inherit"] });
    const gone = (): void => {
      if (kept === child) kept = undefined;
    };
    child.once("error", gone);
    child.once("exit", gone);
    child.stdin?.on("error", () => undefined);
    child.stdout?.pause();
    kept = child;
    return child;
  };
  return {
    request(req, res) {
      const entered = gate.enter();
      if (!entered) {
        sendText(res, 429, "too many requests wait for this function\n", { "retry-after": "1" });
        return;
      }
      void entered.then(async (release) => {
        try {
          await passOn(settings, start(), req, res);
        } finally {
          release();
        }
      });
    },
    end() {
      if (kept) endProgram(kept, 2000);
    },
  };
}

/** Resolves when the program is free for the next request, or gone. */
function passOn(
  settings: StdioSettings,
  child: ChildProcess,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  const http = process.getBuiltinModule("node:http");
  return new Promise((resolve) => {
    // A program that is cut off in the middle of an answer cannot be given another request.
    const giveUp = (): void => {
      endProgram(child, 500);
      resolve();
    };
    const timer = settings.timeoutMs > 0 ? setTimeout(expire, settings.timeoutMs) : undefined;
    const to = http.request({
      method: req.method,
      path: req.url,
      headers: keptAlive(req.rawHeaders),
      createConnection: () => asSocket(child, settings.file),
      setHost: false,
    });
    to.once("response", (answer) => {
      res.writeHead(answer.statusCode ?? 200, answer.rawHeaders);
      answer.pipe(res);
      answer.once("end", () => {
        clearTimeout(timer);
        resolve();
      });
      answer.once("error", () => res.destroy());
    });
    to.once("error", (error) => {
      clearTimeout(timer);
      if (!res.headersSent) answerError(req, res, error, 502);
      else res.destroy();
      giveUp();
    });
    res.once("close", () => {
      if (!res.writableFinished) giveUp();
    });
    req.pipe(to);
    function expire(): void {
      if (res.headersSent) res.destroy();
      else sendText(res, 504, `function took longer than its timeout, request ${requestId(req)}\n`);
      giveUp();
    }
  });
}

/** The program's connection outlasts the caller's. */
function keptAlive(rawHeaders: readonly string[]): string[] {
  const headers = ["connection", "keep-alive"];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const [name = "", value = ""] = [rawHeaders[i], rawHeaders[i + 1]];
    if (!/^(connection|keep-alive|expect)$/i.test(name)) headers.push(name, value);
  }
  return headers;
}

/**
 * The program's two pipes as what node:http takes for a connection, for one request: its end and destruction do not reach
 * the program, the program's end destroys it.
 */
function asSocket(child: ChildProcess, file: string): Duplex {
  const { Duplex } = process.getBuiltinModule("node:stream");
  const { stdin, stdout } = child;
  if (!stdin || !stdout) throw new Error("the program has no pipes");
  const take = (chunk: Buffer): void => {
    if (!pipe.push(chunk)) stdout.pause();
  };
  const failed = (error: Error): void => void pipe.destroy(new Error(explainSpawnError(file, error)));
  const ended = (code: number | null, signal: NodeJS.Signals | null): void =>
    void pipe.destroy(new Error(`the program ended: ${sayExit(code, signal)}`));
  const pipe = new Duplex({
    read: () => void stdout.resume(),
    write: (chunk: Buffer, _encoding, done) => void stdin.write(chunk, () => done()),
    final: (done) => done(),
    destroy(error, done) {
      stdout.off("data", take);
      stdout.pause();
      child.off("error", failed);
      child.off("exit", ended);
      done(error);
    },
  });
  stdout.on("data", take);
  child.once("error", failed);
  child.once("exit", ended);
  const nothing = (): Duplex => pipe;
  return Object.assign(pipe, {
    setTimeout: nothing,
    setNoDelay: nothing,
    setKeepAlive: nothing,
    ref: nothing,
    unref: nothing,
  });
}
