import { LoadError } from "../../hosts/node/load-error.ts";
import { eventShapes, type EventShape } from "./http-event.ts";

export interface LambdaSettings {
  readonly functionName: string;
  readonly functionVersion: string;
  readonly memoryMb: string;
  readonly arn: string;
  readonly timeoutMs: number;
  readonly shape: EventShape;
  /** Calls at once in this process. */
  readonly concurrency: number;
  /** Calls that may wait beyond that, before 429. */
  readonly queue: number;
  readonly logFormat: "text" | "json";
  /** Bytes of an event, and of a result that is not streamed: 6 MB and a little. */
  readonly payloadLimit: number;
}

type Env = Readonly<Record<string, string | undefined>>;

/** The variables that Lambda's runtimes set, where the function has not been given its own; functions.md §5.1. */
export function lambdaEnv(env: Env, root: string): Readonly<Record<string, string>> {
  const name = env["AWS_LAMBDA_FUNCTION_NAME"] ?? env["K_SERVICE"] ?? "function";
  const region = env["AWS_REGION"] ?? env["AWS_DEFAULT_REGION"] ?? "us-east-1";
  const defaults: Readonly<Record<string, string>> = {
    _HANDLER: "index.handler",
    LAMBDA_TASK_ROOT: root,
    LAMBDA_RUNTIME_DIR: root,
    AWS_LAMBDA_FUNCTION_NAME: name,
    AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: "1024",
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${name}`,
    AWS_LAMBDA_LOG_STREAM_NAME: env["K_REVISION"] ?? "ebb",
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    // The last that has callbacks, as this host does; a function that sets 24 is held to what went with it.
    AWS_EXECUTION_ENV: "AWS_Lambda_nodejs22.x",
    AWS_LAMBDA_INITIALIZATION_TYPE: "on-demand",
    AWS_LAMBDA_LOG_FORMAT: "Text",
    TZ: ":UTC",
  };
  return Object.fromEntries(Object.entries(defaults).filter(([key]) => env[key] === undefined || env[key] === ""));
}

/**
 * AWS_LAMBDA_FUNCTION_TIMEOUT (s, 1 to 900; 300 by default as the interface emulator has it), AWS_LAMBDA_MAX_CONCURRENCY
 * (1), EBB_LAMBDA_EVENT (which shape HTTP requests become). Throws LoadError for what cannot be meant.
 */
export function readLambdaSettings(env: Env): LambdaSettings {
  const functionName = env["AWS_LAMBDA_FUNCTION_NAME"] ?? env["K_SERVICE"] ?? "function";
  const region = env["AWS_REGION"] ?? "us-east-1";
  const shape = env["EBB_LAMBDA_EVENT"] ?? "url";
  if (!(eventShapes as readonly string[]).includes(shape))
    throw wrong(`EBB_LAMBDA_EVENT is "${shape}": use one of ${eventShapes.join(", ")}`);
  return {
    functionName,
    functionVersion: env["AWS_LAMBDA_FUNCTION_VERSION"] ?? "$LATEST",
    memoryMb: env["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] ?? "1024",
    arn: `arn:aws:lambda:${region}:123456789012:function:${functionName}`,
    timeoutMs: number(env, "AWS_LAMBDA_FUNCTION_TIMEOUT", 300, 900) * 1000,
    shape: shape as EventShape,
    concurrency: number(env, "AWS_LAMBDA_MAX_CONCURRENCY", 1, 1000),
    queue: number(env, "EBB_LAMBDA_QUEUE", 1000, 100_000),
    logFormat: env["AWS_LAMBDA_LOG_FORMAT"]?.toLowerCase() === "json" ? "json" : "text",
    payloadLimit: 6_291_556,
  };
}

function number(env: Env, name: string, fallback: number, most: number): number {
  const text = env[name];
  if (text === undefined || text === "") return fallback;
  const value = Number(text);
  if (!(value > 0 && value <= most)) throw wrong(`${name} is "${text}": it must be above 0 and at most ${most}`);
  return value;
}

const wrong = (message: string): LoadError => new LoadError("InitFailed", message);
