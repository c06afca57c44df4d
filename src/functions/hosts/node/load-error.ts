import type { HostFailure } from "../protocol.ts";

/** A function that cannot be served, for a reason its owner can act on. */
export class LoadError extends Error {
  readonly reason: HostFailure["reason"];

  constructor(reason: HostFailure["reason"], message: string) {
    super(message);
    this.reason = reason;
  }
}
