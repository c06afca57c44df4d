import type { FunctionModel } from "../hosts/protocol.ts";
import { isFunction, pick } from "./detect-model.ts";
import type { ModuleExports } from "./model.ts";

/** What a function may export beside its handler: awaited before it is ready, asked while it serves, called at its end. */
export interface Hooks {
  readonly init?: (env: Readonly<Record<string, string>>) => unknown;
  readonly stop?: () => unknown;
  readonly alive?: () => unknown;
  readonly ready?: () => unknown;
}

/** Models whose functions rule their own life. */
const without: ReadonlySet<FunctionModel> = new Set(["server", "lambda", "lambda-runtime", "stdio"]);

/**
 * `init(env)`, `shutdown()`, `alive()` and `ready()` among the exports or on the default export. Knative functions have
 * probes of their own (models/knative), but the same init and shutdown.
 */
export function findHooks(model: FunctionModel, exports: ModuleExports): Hooks {
  if (without.has(model)) return {};
  const hook = (name: string): ((...args: unknown[]) => unknown) | undefined => {
    const { value, owner } = pick(exports, name);
    return isFunction(value) ? (...args) => Reflect.apply(value, owner, args) as unknown : undefined;
  };
  const [init, stop] = [hook("init"), hook("shutdown")];
  const [alive, ready] = model === "knative" ? [] : [hook("alive"), hook("ready")];
  return {
    ...(init ? { init } : {}),
    ...(stop ? { stop } : {}),
    ...(alive ? { alive } : {}),
    ...(ready ? { ready } : {}),
  };
}
