import { isFunction, member } from "../detect-model.ts";
import { streamingMark } from "./awslambda.ts";
import type { LambdaHandler } from "./find-handler.ts";
import { timedOut, toFunctionError, type Invocation, type Invoke, type Outcome } from "./invocation.ts";
import { createResponseStream } from "./response-stream.ts";
import type { LambdaSettings } from "./lambda-settings.ts";

export interface HandlerDeps {
  readonly settings: LambdaSettings;
  readonly env: Readonly<Record<string, string>>;
  readonly now: () => number;
  /** The function is busy long after its time was up. */
  readonly stuck: (id: string) => void;
}

/** How long a function may go on after its time-out before its process is given up. */
const graceMs = 2000;

/** Calls a handler in this process. Never rejects: what goes wrong is the outcome. */
export function invokeHandler(handler: LambdaHandler, deps: HandlerDeps): Invoke {
  const streams = (handler as unknown as Record<symbol, unknown>)[streamingMark] !== undefined;
  return (invocation) => {
    const work = (streams ? runStreaming(handler, invocation, deps) : runBuffered(handler, invocation, deps)).catch(
      (error: unknown): Outcome => ({ kind: "error", error: toFunctionError(error) }),
    );
    return withDeadline(work, invocation, deps);
  };
}

function withDeadline(work: Promise<Outcome>, { id, deadlineMs }: Invocation, deps: HandlerDeps): Promise<Outcome> {
  const { timeoutMs } = deps.settings;
  return new Promise((resolve) => {
    let grace: NodeJS.Timeout | undefined;
    const timer = setTimeout(
      () => {
        grace = setTimeout(() => deps.stuck(id), graceMs);
        resolve({ kind: "timeout", error: timedOut(id, timeoutMs) });
      },
      Math.max(1, deadlineMs - deps.now()),
    );
    void work.then((outcome) => {
      clearTimeout(timer);
      clearTimeout(grace);
      resolve(outcome);
    });
  });
}

async function runStreaming(handler: LambdaHandler, invocation: Invocation, deps: HandlerDeps): Promise<Outcome> {
  const stream = createResponseStream(invocation.openStream);
  await handler(
    invocation.event,
    stream,
    makeContext(invocation, deps, () => undefined),
  );
  if (!stream.writableFinished && !stream.destroyed) {
    await new Promise<void>((resolve) => {
      stream.once("close", () => resolve());
      stream.once("finish", () => resolve());
      stream.end();
    });
  }
  return { kind: "streamed" };
}

type Callback = (error?: unknown, result?: unknown) => void;

/** A promise that the handler returns goes before its callback. */
function runBuffered(handler: LambdaHandler, invocation: Invocation, deps: HandlerDeps): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const callback: Callback = (error, result) => {
      if (callbackGone(deps.env)) reject(callbackError());
      else if (error !== undefined && error !== null) reject(error as Error);
      else resolve({ kind: "value", value: result });
    };
    const returned = handler(invocation.event, makeContext(invocation, deps, callback), callback);
    if (isFunction(member(returned, "then")))
      (returned as Promise<unknown>).then((value) => resolve({ kind: "value", value }), reject);
    // A function that declares the callback is taken at its word; one that does not has nothing more to say.
    else if (handler.length < 3 && !usesDone(handler)) resolve({ kind: "value", value: returned });
  });
}

const usesDone = (handler: LambdaHandler): boolean =>
  /\.(succeed|done|fail)\s*\(/.test(Function.prototype.toString.call(handler));

/** Only a function that asks for Node 24 is held to what Lambda took away in it. */
const callbackGone = (env: Readonly<Record<string, string>>): boolean =>
  Number(/nodejs(\d+)/.exec(env["AWS_EXECUTION_ENV"] ?? "")?.[1] ?? 0) >= 24;

function callbackError(): Error {
  const error = new Error(
    "callbacks are not supported by Lambda's nodejs24.x, which AWS_EXECUTION_ENV asks for: make the handler async and " +
      "return the result, or set AWS_EXECUTION_ENV to AWS_Lambda_nodejs22.x",
  );
  error.name = "Runtime.CallbackHandlerDeprecated";
  return error;
}

/** The handler's second argument. */
function makeContext({ id, deadlineMs, clientContext }: Invocation, deps: HandlerDeps, callback: Callback): object {
  const { settings, env, now } = deps;
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionName: settings.functionName,
    functionVersion: settings.functionVersion,
    invokedFunctionArn: settings.arn,
    memoryLimitInMB: settings.memoryMb,
    awsRequestId: id,
    logGroupName: env["AWS_LAMBDA_LOG_GROUP_NAME"] ?? `/aws/lambda/${settings.functionName}`,
    logStreamName: env["AWS_LAMBDA_LOG_STREAM_NAME"] ?? "ebb",
    identity: undefined,
    clientContext,
    getRemainingTimeInMillis: () => Math.max(0, deadlineMs - now()),
    done: (error?: unknown, result?: unknown) => callback(error, result),
    succeed: (result?: unknown) => callback(undefined, result),
    fail: (error?: unknown) => callback(error ?? new Error("context.fail() was called without an error")),
  };
}
