import { WebResponse } from "../../hosts/node/web-response.ts";
import { isFunction, methodNames } from "../detect-model.ts";
import type { ModuleExports } from "../model.ts";
import type { FetchContext, FetchHandler } from "./fetch-listener.ts";

type MethodFunction = (request: unknown, ctx: FetchContext) => unknown;

/** `export function GET(request)` and its like; others get 405 with Allow, HEAD is GET without the body. */
export function methodHandler(exports: ModuleExports): FetchHandler {
  const methods = new Map<string, MethodFunction>();
  for (const name of methodNames) {
    const fn = exports[name];
    if (isFunction(fn)) methods.set(name, fn as unknown as MethodFunction);
  }
  const get = methods.get("GET");
  if (get && !methods.has("HEAD")) methods.set("HEAD", get);
  const allow = [...methods.keys()].join(", ");
  return {
    fetch(request, _env, ctx) {
      const fn = methods.get((request as { readonly method: string }).method);
      if (fn) return fn(request, ctx);
      return new WebResponse("method not allowed\n", { status: 405, headers: { allow } });
    },
  };
}
