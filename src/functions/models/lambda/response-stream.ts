import type { Writable } from "node:stream";
import { preludeMark } from "./awslambda.ts";
import type { Invocation } from "./invocation.ts";

/** What a streaming handler gets as its second argument. */
export interface ResponseStream extends Writable {
  setContentType(type: string): void;
}

/**
 * A stream that opens its way out when it is first written to or ended, since only then it is known whether the function
 * speaks HTTP. Errors of the way out (the caller left) destroy it.
 */
export function createResponseStream(open: Invocation["openStream"]): ResponseStream {
  const { Writable } = process.getBuiltinModule("node:stream");
  let contentType = "application/octet-stream";
  let out: Writable | undefined;
  const opened = (): Writable => {
    if (out) return out;
    const prelude = (stream as unknown as Record<symbol, unknown>)[preludeMark];
    out = open(prelude === undefined ? { kind: "bytes", contentType } : { kind: "http", prelude });
    out.on("error", (error) => stream.destroy(error));
    out.once("close", () => {
      if (!stream.writableFinished && !stream.destroyed) stream.destroy(new Error("the caller has left"));
    });
    return out;
  };
  const attempt = (work: () => void, done: (error?: Error | null) => void): void => {
    try {
      work();
    } catch (error) {
      done(error as Error);
    }
  };
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) =>
      attempt(() => {
        if (opened().write(chunk)) done();
        else waitForRoom(opened(), done);
      }, done),
    final: (done) => attempt(() => void opened().end(() => done()), done),
  });
  // A function that ignores the error of a caller who left must not end the process.
  stream.on("error", () => undefined);
  return Object.assign(stream, {
    setContentType(type: string) {
      contentType = type;
    },
  });
}

function waitForRoom(out: Writable, done: () => void): void {
  const go = (): void => {
    out.off("drain", go);
    out.off("close", go);
    done();
  };
  out.once("drain", go);
  out.once("close", go);
}
