import { LoadError } from "../../hosts/node/load-error.ts";
import { isFunction, member, unwrapDefault } from "../detect-model.ts";
import { listNames } from "../fetch/fetch-model.ts";
import type { ModelContext } from "../model.ts";
import { registrations, type Registration } from "./registry.ts";

const signatures = ["http", "cloudevent", "typed", "event"] as const;

/**
 * The function that is meant. A registered one brings its signature; an export gets it from flag or environment. Without a
 * target the name is `function`, or that of the only registration. Throws LoadError that lists what there is.
 */
export function findFunction(context: ModelContext): Registration {
  const { env, exports } = context;
  const asked = context.target ?? (env["FUNCTION_TARGET"] || undefined);
  const registered = registrations();
  const only = new Set(registered.map((one) => one.name)).size === 1 ? registered[0]?.name : undefined;
  const name = asked ?? only ?? "function";
  const found = registered.findLast((one) => one.name === name);
  if (found) return found;
  const fn = exported(exports, name);
  if (isFunction(fn)) return { name, signature: signatureOf(context), fn };
  const names = [...new Set(registered.map((one) => one.name))].map((one) => `"${one}"`).join(", ");
  if (asked === undefined && registered.length > 1)
    throw new LoadError(
      "AmbiguousHandler",
      `the module registers ${names}: say which is meant with FUNCTION_TARGET or --target`,
    );
  const had = names === "" ? `exports ${listNames(exports)}` : `registers ${names} and exports ${listNames(exports)}`;
  throw new LoadError(
    "NoHandler",
    `there is no function "${name}": the module ${had}. Register it with functions.http("${name}", …), or set FUNCTION_TARGET`,
  );
}

/** `a.b` is the member b of the export a; CommonJS modules have theirs under default. */
function exported(exports: ModelContext["exports"], path: string): unknown {
  const within = (from: unknown): unknown =>
    path.split(".").reduce<unknown>((value, name) => member(value, name), from);
  return within(exports) ?? within(unwrapDefault(exports["default"]));
}

function signatureOf({ signature, env }: ModelContext): Registration["signature"] {
  const asked = signature ?? (env["FUNCTION_SIGNATURE_TYPE"] || "http");
  const found = signatures.find((one) => one === asked);
  if (found === undefined)
    throw new LoadError("NoHandler", `there is no signature type "${asked}": use ${signatures.join(", ")}`);
  return found;
}
