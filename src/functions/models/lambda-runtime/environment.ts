import type { ChildProcess } from "node:child_process";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { timedOut, type FunctionError, type Invocation, type Outcome } from "../lambda/invocation.ts";
import { endProgram, explainSpawnError, sayExit, type ProgramWords } from "../program.ts";
import { readReport, readResponse } from "./read-response.ts";
import { runtimePath } from "./runtime-path.ts";
import { say } from "./say.ts";

export interface EnvironmentOptions extends ProgramWords {
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly arn: string;
  readonly timeoutMs: number;
  /** Bytes. */
  readonly payloadLimit: number;
}

/** One process of the function, with a Runtime API of its own; it is given one invocation at a time. */
export interface Environment {
  /** Resolves when it asks for its first invocation; rejects when it fails or ends before. */
  readonly ready: Promise<void>;
  readonly ended: boolean;
  invoke(invocation: Invocation): Promise<Outcome>;
  end(): void;
}

interface Pending {
  readonly invocation: Invocation;
  readonly settle: (outcome: Outcome) => void;
  /** The response is being read. */
  answering: boolean;
}

/** Starts the program and serves it the Runtime API on a port of the loopback; functions.md §5.2. */
export function startEnvironment(options: EnvironmentOptions): Environment {
  return new RuntimeEnvironment(options);
}

class RuntimeEnvironment implements Environment {
  readonly ready: Promise<void>;
  readonly #options: EnvironmentOptions;
  readonly #server: Server;
  readonly #isReady = Promise.withResolvers<void>();
  #child: ChildProcess | undefined;
  /** The runtime's open question for its next invocation. */
  #next: ServerResponse | undefined;
  #pending: Pending | undefined;
  #ended = false;

  constructor(options: EnvironmentOptions) {
    this.#options = options;
    this.ready = this.#isReady.promise;
    this.ready.catch(() => undefined);
    // A runtime may leave its connection open for hours while it waits.
    const timeouts = { keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0 };
    this.#server = process
      .getBuiltinModule("node:http")
      .createServer(timeouts, (req, res) => void this.#onRequest(req, res));
    this.#server.listen(0, "127.0.0.1", () => this.#start());
  }

  get ended(): boolean {
    return this.#ended;
  }

  async invoke(invocation: Invocation): Promise<Outcome> {
    const outcome = Promise.withResolvers<Outcome>();
    const { timeoutMs } = this.#options;
    const timer = setTimeout(
      () => {
        outcome.resolve({ kind: "timeout", error: timedOut(invocation.id, timeoutMs) });
        this.end();
      },
      Math.max(1, invocation.deadlineMs - Date.now()),
    );
    this.#pending = { invocation, settle: outcome.resolve, answering: false };
    if (this.#next) this.#deliver();
    try {
      return await outcome.promise;
    } finally {
      clearTimeout(timer);
    }
  }

  end(): void {
    if (this.#child) endProgram(this.#child, 2000);
    else this.#close();
  }

  #start(): void {
    const { file, args, env, cwd } = this.#options;
    const { port } = this.#server.address() as AddressInfo;
    const { spawn } = process.getBuiltinModule("node:child_process");
    const child = spawn(file, args, {
      cwd,
      env: { ...env, AWS_LAMBDA_RUNTIME_API: `127.0.0.1:${port}` },
      stdio: ["ignore", "inherit", "inherit"],
    });
    this.#child = child;
    child.once("error", (error) => this.#gone("Runtime.InvalidEntrypoint", explainSpawnError(file, error)));
    child.once("exit", (code, signal) =>
      this.#gone("Runtime.ExitError", `Runtime exited with error: ${sayExit(code, signal)}`),
    );
  }

  /** The process is gone: what it was working on failed. */
  #gone(errorType: string, why: string): void {
    this.#isReady.reject(new Error(`${errorType}: ${why}, before it asked for its first invocation`));
    const id = this.#pending?.invocation.id;
    const error: FunctionError = { errorType, errorMessage: `RequestId: ${id} Error: ${why}` };
    this.#pending?.settle({ kind: "error", error });
    this.#close();
  }

  #close(): void {
    this.#ended = true;
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #onRequest(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const call = runtimePath(req.method ?? "", req.url ?? "");
    switch (call.kind) {
      case "next":
        return this.#onNext(res);
      case "response":
      case "error":
        return await this.#onAnswer(call, req, res);
      case "init-error": {
        const report = await readReport(req);
        this.#isReady.reject(new Error(`${report.errorType}: ${report.errorMessage}`));
        return say(res, 202, { status: "OK" });
      }
      case "ping":
        res.end("pong");
        return undefined;
      case "unknown":
        return say(res, 404, {
          errorType: "UnknownPath",
          errorMessage: `the Runtime API has no ${req.method} ${req.url}`,
        });
    }
  }

  #onNext(res: ServerResponse): void {
    // Asking again without having answered gives the same invocation up.
    const { answering } = this.#pending ?? {};
    this.#next = res;
    res.once("close", () => {
      if (this.#next === res) this.#next = undefined;
    });
    this.#isReady.resolve();
    if (this.#pending && answering === false) this.#deliver();
  }

  #deliver(): void {
    const [res, pending] = [this.#next, this.#pending];
    if (!res || !pending) return;
    this.#next = undefined;
    const { id, event, deadlineMs, traceId, clientContext } = pending.invocation;
    const body = JSON.stringify(event) ?? "null";
    res.writeHead(200, {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(body),
      "lambda-runtime-aws-request-id": id,
      "lambda-runtime-deadline-ms": String(Math.round(deadlineMs)),
      "lambda-runtime-invoked-function-arn": this.#options.arn,
      "lambda-runtime-trace-id":
        traceId ?? `Root=1-${Math.floor(Date.now() / 1000).toString(16)}-000000000000000000000000;Sampled=0`,
      ...(clientContext === undefined ? {} : { "lambda-runtime-client-context": JSON.stringify(clientContext) }),
    });
    res.end(body);
  }

  async #onAnswer(
    call: { readonly kind: "response" | "error"; readonly id: string },
    req: IncomingMessage,
    res: ServerResponse,
  ): Promise<void> {
    const pending = this.#pending;
    if (!pending || pending.invocation.id !== call.id) {
      req.resume();
      return say(res, 400, { errorType: "InvalidRequestID", errorMessage: `no invocation ${call.id} is under way` });
    }
    if (pending.answering) {
      req.resume();
      return say(res, 403, { errorType: "InvalidStateTransition", errorMessage: "the invocation is answered already" });
    }
    pending.answering = true;
    const outcome: Outcome =
      call.kind === "error"
        ? { kind: "error", error: await readReport(req) }
        : await readResponse(req, pending.invocation, this.#options.payloadLimit);
    const tooLarge = outcome.kind === "error" && outcome.error.errorType === "Function.ResponseSizeTooLarge";
    if (tooLarge) say(res, 413, { errorType: "RequestEntityTooLarge", errorMessage: outcome.error.errorMessage });
    else say(res, 202, { status: "OK" });
    this.#pending = undefined;
    pending.settle(outcome);
    return undefined;
  }
}
