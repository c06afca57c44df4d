import type { FunctionModel } from "../hosts/protocol.ts";
import { methodNames } from "./detect-model.ts";

/**
 * What a build can tell by the names that a module exports: an exported `handler` and nothing else that takes requests is
 * Lambda's, which has to be known before the module loads, since its environment is read then. All else is found by the
 * host, which sees what the exports are.
 */
export function modelOfNames(names: readonly string[]): FunctionModel {
  const others = ["default", "fetch", "handle", "event", ...methodNames];
  return names.includes("handler") && !others.some((name) => names.includes(name)) ? "lambda" : "auto";
}
