import { describeError } from "../../hosts/node/source-lines.ts";
import { isFunction } from "../detect-model.ts";
import type { FetchContext, FetchHandler } from "./fetch-listener.ts";

/** The service worker's event, as `addEventListener("fetch", (event) => event.respondWith(…))` gets it. */
export interface FetchEvent {
  readonly type: "fetch";
  readonly request: unknown;
  respondWith(response: unknown): void;
  waitUntil(work: Promise<unknown>): void;
  passThroughOnException(): void;
}

type Listener = (event: FetchEvent) => void;

const listeners: Listener[] = [];

/** Defines a global addEventListener; of its events, only `fetch` exists here. Called before the function loads. */
export function installFetchEvents(): void {
  const addEventListener = (type: string, listener: unknown): void => {
    if (type !== "fetch") return;
    if (isFunction(listener)) listeners.push(listener as Listener);
    else if (typeof listener === "object" && listener !== null && "handleEvent" in listener)
      listeners.push((event) => (listener as { handleEvent: Listener }).handleEvent(event));
  };
  // Of the minimum common API, and missing in Node: an error that was handled, but is to be seen.
  const reportError = (error: unknown): void => void process.stderr.write(`${describeError(error)}\n`);
  if (!("reportError" in globalThis))
    Object.defineProperty(globalThis, "reportError", { value: reportError, configurable: true, writable: true });
  Object.defineProperty(globalThis, "addEventListener", {
    value: addEventListener,
    configurable: true,
    writable: true,
  });
}

export const listensForFetch = (): boolean => listeners.length > 0;

/** The registered listeners as a handler: the first that responds wins. */
export function fetchEventHandler(): FetchHandler | undefined {
  if (listeners.length === 0) return undefined;
  return { fetch: (request, _env, ctx) => dispatch(request, ctx) };
}

function dispatch(request: unknown, ctx: FetchContext): unknown {
  let response: { readonly value: unknown } | undefined;
  const event: FetchEvent = {
    type: "fetch",
    request,
    respondWith(value) {
      if (response) throw new TypeError("respondWith was called twice for one request");
      response = { value };
    },
    waitUntil: (work) => ctx.waitUntil(work),
    passThroughOnException: () => undefined,
  };
  for (const listener of listeners) {
    listener(event);
    if (response) return response.value;
  }
  throw new TypeError("no fetch listener called event.respondWith()");
}
