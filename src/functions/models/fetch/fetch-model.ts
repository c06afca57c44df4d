import { LoadError } from "../../hosts/node/load-error.ts";
import { hasFetch, isFunction, member, methodNames, unwrapDefault } from "../detect-model.ts";
import type { ModelContext, ServedFunction } from "../model.ts";
import { fetchListener, type FetchHandler } from "./fetch-listener.ts";
import { fetchEventHandler } from "./fetch-event.ts";
import { methodHandler } from "./method-handler.ts";

/** The web-standard model in its variants: an object with fetch(), a function, methods by name, a fetch listener. */
export async function fetchModel(context: ModelContext): Promise<ServedFunction> {
  const { handler, owner } = findHandler(context);
  const request = fetchListener(handler, context.env, context.drain);
  if (["event", "scheduled", "queue"].some((name) => isFunction(member(owner, name)))) {
    const { eventsBeside } = await import("./fetch-events.ts");
    return { request: eventsBeside(owner, request, context) };
  }
  return { request };
}

/** `owner` is what may carry event(), scheduled() and queue() beside it. */
function findHandler({ exports, target }: ModelContext): { readonly handler: FetchHandler; readonly owner: unknown } {
  const main = unwrapDefault(exports["default"]);
  if (target !== undefined) return named(exports, target);
  if (hasFetch(main)) return { handler: main as FetchHandler, owner: main };
  if (hasFetch(exports)) return { handler: exports as unknown as FetchHandler, owner: exports };
  if (isFunction(main)) return { handler: plain(main as FetchHandler["fetch"]), owner: exports };
  if (isFunction(exports["handler"])) return { handler: plain(exports["handler"]), owner: exports };
  const methods = methodNames.filter((name) => isFunction(exports[name]));
  if (methods.length > 0) return { handler: methodHandler(exports), owner: exports };
  const listener = fetchEventHandler();
  if (listener) return { handler: listener, owner: exports };
  throw new LoadError("NoHandler", missing(exports));
}

function named(exports: ModelContext["exports"], target: string): ReturnType<typeof findHandler> {
  const value = exports[target];
  if (hasFetch(value)) return { handler: value as FetchHandler, owner: value };
  if (isFunction(value)) return { handler: plain(value as FetchHandler["fetch"]), owner: exports };
  throw new LoadError(
    "NoHandler",
    `the target "${target}" is not an export with fetch() or a function; the module exports ${listNames(exports)}`,
  );
}

/** A bare function takes `(request, ctx)`. */
const plain = (fn: (...args: never[]) => unknown): FetchHandler => ({
  fetch: (request, _env, ctx) => (fn as unknown as (request: unknown, ctx: unknown) => unknown)(request, ctx),
});

const missing = (exports: ModelContext["exports"]): string =>
  `the module exports no fetch handler (it exports ${listNames(exports)}): write \`export default { fetch(request) { … } }\`, ` +
  "or `export function GET(request) { … }`";

export function listNames(exports: ModelContext["exports"]): string {
  const names = Object.keys(exports).filter((name) => name !== "__esModule" && name !== "module.exports");
  return names.length === 0 ? "nothing" : names.join(", ");
}
