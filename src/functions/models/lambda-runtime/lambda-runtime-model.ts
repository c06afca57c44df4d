import { LoadError } from "../../hosts/node/load-error.ts";
import { lambdaFront } from "../lambda/lambda-front.ts";
import { createLambdaLog } from "../lambda/lambda-log.ts";
import { lambdaEnv, readLambdaSettings } from "../lambda/lambda-settings.ts";
import type { Invocation, Outcome } from "../lambda/invocation.ts";
import type { ModelContext, ServedFunction } from "../model.ts";
import { checkExecutable } from "../program.ts";
import { startEnvironment, type Environment, type EnvironmentOptions } from "./environment.ts";

/**
 * A program with a Lambda runtime in it (`bootstrap`): it asks the Runtime API for events. One process for each call under
 * way, AWS_LAMBDA_MAX_CONCURRENCY at most; processes are kept for further calls.
 */
export async function lambdaRuntimeModel(context: ModelContext): Promise<ServedFunction> {
  const { entry, target, drain } = context;
  const words = commandOf(context);
  const root = process.getBuiltinModule("node:path").dirname(entry);
  const given = { ...context.env, ...lambdaEnv(context.env, root) };
  const settings = readLambdaSettings(given);
  const options: EnvironmentOptions = {
    ...words,
    cwd: root,
    arn: settings.arn,
    timeoutMs: settings.timeoutMs,
    payloadLimit: settings.payloadLimit,
    env: {
      ...given,
      ...(target === undefined ? {} : { _HANDLER: target }),
      ...(context.env["AWS_EXECUTION_ENV"] === undefined ? { AWS_EXECUTION_ENV: "AWS_Lambda_provided.al2023" } : {}),
    },
  };
  const began = performance.now();
  const environments = await keepEnvironments(options);
  drain.onStop(() => environments.end());
  const log = createLambdaLog(settings, performance.now() - began, (text) => void process.stdout.write(text));
  return {
    request: lambdaFront({
      invoke: (invocation) => environments.invoke(invocation),
      settings,
      log,
      drain,
      now: Date.now,
    }),
  };
}

/** The entry, or what EBB_COMMAND says: `npx aws-lambda-ric index.handler`. */
function commandOf({ entry, env }: ModelContext): Pick<EnvironmentOptions, "file" | "args"> {
  const [file, ...args] = (env["EBB_COMMAND"] ?? "").split(" ").filter((word) => word !== "");
  return file === undefined ? checkExecutable(entry) : { file, args };
}

interface Environments {
  invoke(invocation: Invocation): Promise<Outcome>;
  end(): void;
}

/** The first is started with the function; its failure is the function's. */
async function keepEnvironments(options: EnvironmentOptions): Promise<Environments> {
  const first = startEnvironment(options);
  const all = new Set<Environment>([first]);
  try {
    await first.ready;
  } catch (error) {
    first.end();
    throw new LoadError("InitFailed", error instanceof Error ? error.message : String(error));
  }
  const idle: Environment[] = [first];
  return {
    async invoke(invocation) {
      let environment = idle.pop();
      while (environment?.ended === true) {
        all.delete(environment);
        environment = idle.pop();
      }
      if (!environment) {
        environment = startEnvironment(options);
        all.add(environment);
      }
      const outcome = await Promise.race([environment.invoke(invocation), initFailure(environment)]);
      if (outcome.kind === "error" && outcome.error.errorType === "Runtime.InitError") environment.end();
      if (environment.ended) all.delete(environment);
      else idle.push(environment);
      return outcome;
    },
    end() {
      for (const environment of all) environment.end();
    },
  };
}

/** A process that fails to begin answers for the call it was started for; never settles otherwise. */
function initFailure({ ready }: Environment): Promise<Outcome> {
  return ready.then(
    () => new Promise<never>(() => undefined),
    (error: unknown): Outcome => {
      const errorMessage = error instanceof Error ? error.message : String(error);
      return { kind: "error", error: { errorType: "Runtime.InitError", errorMessage } };
    },
  );
}
