/**
 * The platform's own Request, Response and fetch. They stay properties of globalThis, since merely replacing one of
 * them there loads undici; reading `native.Response` does too, so it is read only when something needs what the light
 * ones cannot do.
 */
export const native = {
  get Request(): typeof Request {
    return globalThis.Request;
  },
  get Response(): typeof Response {
    return globalThis.Response;
  },
  get fetch(): typeof fetch {
    return globalThis.fetch;
  },
  /** Whether a value is of the native class; loads nothing for values that cannot be. */
  is(value: object, name: "Request" | "Response"): boolean {
    return Object.prototype.toString.call(value) === `[object ${name}]` && value instanceof native[name];
  },
};
