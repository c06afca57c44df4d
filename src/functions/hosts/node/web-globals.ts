import { WebHeaders } from "./web-headers.ts";
import { native } from "./web-native.ts";
import { IncomingRequest } from "./web-request.ts";
import { WebResponse } from "./web-response.ts";

/** `new Request(…)` by the function makes a native one; requests that came in count as instances too. */
class WebRequest {
  constructor(input: unknown, init?: RequestInit) {
    const from = input instanceof IncomingRequest ? input.toNative() : (input as string | URL | Request);
    return new native.Request(from, init);
  }

  static [Symbol.hasInstance](value: unknown): boolean {
    if (typeof value !== "object" || value === null) return false;
    return value instanceof IncomingRequest || native.is(value, "Request");
  }
}

/** Scratch name through which the classes reach the script below; gone again when this returns. */
const handOver = "__ebbWebGlobals";

/**
 * Makes `Headers`, `Response`, `Request` and `fetch` mean the light ones for every module loaded from here on. They
 * are declared as a script's constants, which hide properties of globalThis without touching them; the native ones
 * remain `globalThis.Response` and so on.
 */
export function installWebGlobals(): void {
  Object.defineProperty(WebHeaders, "name", { value: "Headers" });
  Object.defineProperty(WebResponse, "name", { value: "Response" });
  Object.defineProperty(WebRequest, "name", { value: "Request" });
  const fetch = (input: unknown, init?: RequestInit): Promise<Response> =>
    native.fetch(input instanceof IncomingRequest ? input.toNative() : (input as string | URL | Request), init);
  const values = { Headers: WebHeaders, Response: WebResponse, Request: WebRequest, fetch };
  Object.defineProperty(globalThis, handOver, { value: values, configurable: true });
  const { Script } = process.getBuiltinModule("node:vm");
  new Script(`const { Headers, Response, Request, fetch } = globalThis.${handOver};`).runInThisContext();
  Reflect.deleteProperty(globalThis, handOver);
}
