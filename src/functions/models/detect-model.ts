import type { FunctionModel } from "../hosts/protocol.ts";
import type { ModuleExports } from "./model.ts";
import { parameterNames } from "./parameter-names.ts";

export const methodNames = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"] as const;

export interface Evidence {
  readonly exports: ModuleExports;
  /** Names given to functions-framework's http(), cloudEvent() and typed() while the module loaded. */
  readonly registered: readonly string[];
  /** The module called addEventListener("fetch", …). */
  readonly listensForFetch: boolean;
  readonly target?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Which model a loaded module is of, and why; `server`: it exports nothing that takes requests. */
export type Detected =
  | { readonly model: Exclude<FunctionModel, "auto">; readonly reason: string }
  | { readonly model: "ambiguous"; readonly message: string };

/**
 * Asks a module's exports in the order of the reference sheet (functions.md §1): Lambda by handler string, Functions
 * Framework by registration, web-standard fetch, (req, res), Knative func, Lambda by name, CloudEvents, else a server
 * of its own. Two candidates of equal rank are refused rather than guessed.
 */
export function detectModel(evidence: Evidence): Detected {
  return byRegistration(evidence) ?? byExports(evidence) ?? { model: "server", reason: "it exports no handler" };
}

function byRegistration({ registered, env, target }: Evidence): Detected | undefined {
  const handler = env["_HANDLER"];
  if (handler !== undefined && handler !== "") return { model: "lambda", reason: `_HANDLER is ${handler}` };
  if (target !== undefined && /^[\w./-]+\.[\w$]+$/.test(target) && registered.length === 0)
    return { model: "lambda", reason: `the target is a handler string, ${target}` };
  if (registered.length > 0)
    return { model: "functions-framework", reason: `it registers ${registered.map((n) => `"${n}"`).join(", ")}` };
  const named = env["FUNCTION_TARGET"];
  if (named !== undefined && named !== "")
    return { model: "functions-framework", reason: `FUNCTION_TARGET is ${named}` };
  return undefined;
}

function byExports({ exports, listensForFetch }: Evidence): Detected | undefined {
  const main = unwrapDefault(exports["default"]);
  const methods = methodNames.filter((name) => isFunction(exports[name]));
  if (listensForFetch) return { model: "fetch", reason: 'it calls addEventListener("fetch", …)' };
  if (hasFetch(main)) return { model: "fetch", reason: "its default export has fetch()" };
  if (isFunction(exports["fetch"])) return { model: "fetch", reason: "it exports fetch()" };
  if (isServer(main)) {
    return member(main, "listening") === true
      ? { model: "server", reason: "its default export is a server that listens" }
      : { model: "node-http", reason: "its default export is a server" };
  }
  if (isApplication(main)) return { model: "node-http", reason: "its default export is an application" };
  if (methods.length > 0) {
    if (!isFunction(main)) return { model: "fetch", reason: `it exports ${methods.join(", ")}` };
    return {
      model: "ambiguous",
      message: `the module exports both a default function and ${methods.join(", ")}: keep one of the two`,
    };
  }
  if (isFunction(main)) return byParameters(main);
  return byName(exports);
}

function byName(exports: ModuleExports): Detected | undefined {
  const has = (name: string): boolean => isFunction(pick(exports, name).value);
  if (has("handle") && has("handler"))
    return {
      model: "ambiguous",
      message:
        "the module exports both handle (Knative func) and handler (Lambda): keep one, or name the model with --model",
    };
  if (has("handle")) return { model: "knative", reason: "it exports handle()" };
  if (has("handler")) {
    const fn = pick(exports, "handler").value as AnyFunction;
    if (takesResponse(fn)) return byParameters(fn);
    return { model: "lambda", reason: "it exports handler()" };
  }
  if (has("event")) return { model: "cloudevents", reason: "it exports event()" };
  return undefined;
}

type AnyFunction = (...args: never[]) => unknown;

/** Names say most; where they do not (minified code), the number of parameters does. */
function byParameters(fn: AnyFunction): Exclude<Detected, { readonly model: "ambiguous" }> {
  const [first = "", second = ""] = parameterNames(fn);
  const list = `(${[first, second].filter((name) => name !== "").join(", ")})`;
  if (takesResponse(fn)) return { model: "node-http", reason: `its function takes ${list}` };
  if (/^(context|ctx)$/i.test(first)) return { model: "knative", reason: `its function takes ${list}` };
  if (/^(event|ce|cloudevent|cloudEvent)$/.test(first))
    return { model: "cloudevents", reason: `its function takes ${list}` };
  if (fn.length < 2) return { model: "fetch", reason: "its default export takes a request" };
  if (/^(request|req)$/i.test(first) && /^(ctx|context|env|info|server)$/i.test(second))
    return { model: "fetch", reason: `its function takes ${list}` };
  return { model: "node-http", reason: `its function takes ${fn.length} parameters` };
}

/** Whether a function names its second parameter as a response. */
export const takesResponse = (fn: AnyFunction): boolean =>
  /^(res|resp|response|reply)$/i.test(parameterNames(fn)[1] ?? "");

/** `module.exports = …` compiled to ESM arrives as { default: { default } }. */
export function unwrapDefault(value: unknown): unknown {
  if (typeof value === "object" && value !== null && "default" in value && "__esModule" in value) return value.default;
  return value;
}

export const isFunction = (value: unknown): value is AnyFunction => typeof value === "function";

export const hasFetch = (value: unknown): boolean => isFunction(member(value, "fetch"));

/** An http.Server (or https, http2): told by what it can do, since it may come from a copy of the class. */
export const isServer = (value: unknown): boolean =>
  isFunction(member(value, "listen")) && isFunction(member(value, "emit")) && member(value, "listening") !== undefined;

/** What fastify() and new Koa() give: no function, but a listener can be had of them. */
const isApplication = (value: unknown): boolean =>
  (isFunction(member(value, "routing")) && isFunction(member(value, "ready"))) ||
  (isFunction(member(value, "callback")) && isFunction(member(value, "use")));

/** An export by name, or what the default export (a CommonJS module's value) has under it, with whose it is. */
export function pick(exports: ModuleExports, name: string): { readonly value: unknown; readonly owner: unknown } {
  if (exports[name] !== undefined) return { value: exports[name], owner: undefined };
  const main = unwrapDefault(exports["default"]);
  // Servers and applications have methods of such names that are not hooks.
  if (isServer(main) || isFunction(member(main, "listen"))) return { value: undefined, owner: undefined };
  return { value: member(main, name), owner: main };
}

/** A property of an object or function, whatever it is. */
export function member(value: unknown, name: string): unknown {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}
