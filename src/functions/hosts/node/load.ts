import type { ClaimMessage, FunctionModel } from "../protocol.ts";
import { detectModel } from "../../models/detect-model.ts";
import { fetchModel } from "../../models/fetch/fetch-model.ts";
import { installFetchEvents, listensForFetch } from "../../models/fetch/fetch-event.ts";
import { registrations } from "../../models/functions-framework/registry.ts";
import { awslambda } from "../../models/lambda/awslambda.ts";
import { lambdaEnv } from "../../models/lambda/lambda-settings.ts";
import { findHooks, type Hooks } from "../../models/lifecycle.ts";
import type { ModelContext, ModuleExports, ServedFunction } from "../../models/model.ts";
import { nodeHttpModel } from "../../models/node-http/node-http-model.ts";
import type { Drain } from "./drain.ts";
import { LoadError } from "./load-error.ts";
import { describeError } from "./source-lines.ts";

/** Which function to load: what of a claim concerns the module. */
export type LoadRequest = Pick<ClaimMessage, "entry" | "model" | "target" | "signature" | "env">;

type KnownModel = Exclude<FunctionModel, "auto">;

/**
 * Imports the function, finds out of which model it is unless that is given, runs its init(), and lets the model make
 * a listener of it. `own-server`: it listens itself.
 */
export async function loadFunction(request: LoadRequest, drain: Drain): Promise<ServedFunction | "own-server"> {
  if (request.model === "stdio" || request.model === "lambda-runtime") return await serveProgram(request, drain);
  const { entry, target, signature, env } = request;
  if (request.model === "auto" || request.model === "fetch") installFetchEvents();
  if (request.model === "functions-framework" || env["FUNCTION_TARGET"]) {
    const { providePackage } = await import("../../models/functions-framework/provide-package.ts");
    providePackage();
  }
  // Open as Lambda's own: the AWS SDK assigns it again and keeps its stores in it, wherever it runs.
  Object.defineProperty(globalThis, "awslambda", { value: { ...awslambda }, configurable: true, writable: true });
  if (request.model === "lambda") addLambdaEnv(env);
  const exports = await loadModule(entry);
  const model = settleModel(request, exports);
  if (model === "lambda" && request.model === "auto") addLambdaEnv(env);
  const context: ModelContext = {
    entry,
    exports,
    ...(target === undefined ? {} : { target }),
    ...(signature === undefined ? {} : { signature }),
    env: model === "lambda" ? { ...env, ...lambdaEnv(env, process.cwd()) } : env,
    drain,
  };
  const hooks = findHooks(model, exports);
  await runInit(hooks, env);
  const served = await limit(model, env, await serve(model, context));
  if (hooks.stop) drain.onStop(hooks.stop);
  if (served === "own-server" || (!hooks.alive && !hooks.ready)) return served;
  const { healthBeside } = await import("../../models/health.ts");
  return { ...served, request: healthBeside(hooks, served.request) };
}

/** Lambda's functions read these while they load, if the model is known by then. */
function addLambdaEnv(env: ClaimMessage["env"]): void {
  Object.assign(process.env, lambdaEnv(env, process.cwd()));
}

function settleModel(request: LoadRequest, exports: ModuleExports): KnownModel {
  if (request.model !== "auto") return request.model;
  const detected = detectModel({
    exports,
    registered: registrations().map((one) => one.name),
    listensForFetch: listensForFetch(),
    ...(request.target === undefined ? {} : { target: request.target }),
    env: request.env,
  });
  if (detected.model === "ambiguous") throw new LoadError("AmbiguousHandler", detected.message);
  return detected.model;
}

async function serve(model: KnownModel, context: ModelContext): Promise<ServedFunction | "own-server"> {
  switch (model) {
    case "fetch":
      return await fetchModel(context);
    case "node-http":
      return await nodeHttpModel(context);
    case "server":
      return "own-server";
    case "cloudevents": {
      const { cloudEventsModel } = await import("../../models/cloudevents/cloudevents-model.ts");
      return cloudEventsModel(context);
    }
    case "knative": {
      const { knativeModel } = await import("../../models/knative/knative-model.ts");
      return await knativeModel(context);
    }
    case "functions-framework": {
      const { functionsFrameworkModel } = await import("../../models/functions-framework/functions-framework-model.ts");
      return functionsFrameworkModel(context);
    }
    case "lambda": {
      const { lambdaModel } = await import("../../models/lambda/lambda-model.ts");
      return await lambdaModel(context);
    }
    default:
      throw new LoadError("NoHandler", `this host cannot serve the model "${model}"`);
  }
}

/** Models with settings of their own for time, number and size of requests. */
const limitsItself: ReadonlySet<KnownModel> = new Set(["server", "lambda", "lambda-runtime", "stdio"]);

/** What the function's environment asks of its host, loaded only when it does. */
async function limit(
  model: KnownModel,
  env: ClaimMessage["env"],
  served: ServedFunction | "own-server",
): Promise<ServedFunction | "own-server"> {
  const asked = "EBB_TIMEOUT" in env || "EBB_CONCURRENCY" in env || "EBB_BODY_LIMIT" in env || "EBB_LOG_FORMAT" in env;
  if (!asked || served === "own-server" || limitsItself.has(model)) return served;
  const { readLimits, withLimits } = await import("../../models/limits.ts");
  const limits = readLimits(env);
  if (!limits) return served;
  const request = withLimits(limits, served.request);
  if (!limits.jsonLog) return { ...served, request };
  const { withJsonLog } = await import("../../models/json-log.ts");
  const write = (line: string): void => void process.stdout.write(line);
  return { ...served, request: withJsonLog({ console, write, now: Date.now }, request) };
}

/** Functions that are programs: nothing is imported. */
async function serveProgram({ entry, model, target, env }: LoadRequest, drain: Drain): Promise<ServedFunction> {
  const context: ModelContext = { entry, exports: {}, ...(target === undefined ? {} : { target }), env, drain };
  if (model === "stdio") {
    const { stdioModel } = await import("../../models/stdio/stdio-model.ts");
    return stdioModel(context);
  }
  const { lambdaRuntimeModel } = await import("../../models/lambda-runtime/lambda-runtime-model.ts");
  return await lambdaRuntimeModel(context);
}

async function runInit(hooks: Hooks, env: ClaimMessage["env"]): Promise<void> {
  if (!hooks.init) return;
  try {
    await hooks.init(env);
  } catch (error) {
    throw new LoadError("InitFailed", `the function's init() failed: ${describeError(error)}`);
  }
}

/**
 * By require first, which reads and links in one go where import() takes turns with a thread pool that a busy machine
 * is slow to serve; modules that await at their top level can only be imported, and are not begun before that is seen.
 */
async function loadModule(entry: string): Promise<ModuleExports> {
  const { createRequire } = process.getBuiltinModule("node:module");
  try {
    return asExports(createRequire(entry)(entry));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_REQUIRE_ASYNC_MODULE") throw error;
  }
  const { pathToFileURL } = process.getBuiltinModule("node:url");
  return asExports(await import(pathToFileURL(entry).href));
}

/** An ES module's names as they are; what a CommonJS module exports is its default, as import would have it. */
function asExports(module: unknown): ModuleExports {
  if (Object.prototype.toString.call(module) === "[object Module]") return module as ModuleExports;
  return { default: module };
}
