import { nodeHttpModel } from "../node-http/node-http-model.ts";
import type { ModelContext, ServedFunction } from "../model.ts";
import { takesResponse } from "../detect-model.ts";
import { invokeHandler } from "./call-handler.ts";
import { findHandler } from "./find-handler.ts";
import { lambdaFront } from "./lambda-front.ts";
import { createLambdaLog, patchConsole } from "./lambda-log.ts";
import { readLambdaSettings } from "./lambda-settings.ts";

/** An AWS Lambda handler in this process: async, with a callback, or streaming. */
export async function lambdaModel(context: ModelContext): Promise<ServedFunction> {
  const handler = findHandler(context);
  // A build may take an exported `handler` for Lambda's before it can see its parameters.
  if (context.target === undefined && takesResponse(handler as () => unknown)) return await nodeHttpModel(context);
  const { env, drain } = context;
  const settings = readLambdaSettings(env);
  const log = createLambdaLog(settings, process.uptime() * 1000, (text) => void process.stdout.write(text));
  const ids = await currentIds(settings.concurrency);
  patchConsole(console, settings, ids.current, log.write);
  const call = invokeHandler(handler, {
    settings,
    env,
    now: Date.now,
    stuck(id) {
      log.write(`${id}: the function is still busy after its timeout; the process ends to make room for a new one\n`);
      process.exit(1);
    },
  });
  return {
    request: lambdaFront({
      invoke: (invocation) => ids.run(invocation.id, () => call(invocation)),
      settings,
      log,
      drain,
      now: Date.now,
    }),
  };
}

interface CurrentIds {
  readonly current: () => string | undefined;
  readonly run: <T>(id: string, work: () => Promise<T>) => Promise<T>;
}

/** Which call a line of the console belongs to: one variable where calls come one by one, else carried along. */
async function currentIds(concurrency: number): Promise<CurrentIds> {
  if (concurrency > 1) {
    const { AsyncLocalStorage } = process.getBuiltinModule("node:async_hooks");
    const storage = new AsyncLocalStorage<string>();
    return { current: () => storage.getStore(), run: (id, work) => storage.run(id, work) };
  }
  let current: string | undefined;
  return {
    current: () => current,
    run(id, work) {
      current = id;
      return work();
    },
  };
}
