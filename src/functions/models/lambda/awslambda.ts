import { isFunction } from "../detect-model.ts";

/** The marks that Lambda's own runtime puts on a streaming handler; libraries look for them. */
export const streamingMark: unique symbol = Symbol.for("aws.lambda.runtime.handler.streaming") as never;
const highWaterMark = Symbol.for("aws.lambda.runtime.handler.streaming.highWaterMark");

/** What HttpResponseStream.from leaves on a response stream for the first write to find. */
export const preludeMark: unique symbol = Symbol.for("dev.ebb.lambda.prelude") as never;

/** The global that functions with streaming responses use while they load. */
export const awslambda = Object.freeze({
  streamifyResponse(handler: unknown, options?: { readonly highWaterMark?: number }): unknown {
    if (!isFunction(handler)) throw new TypeError("awslambda.streamifyResponse: the handler is no function");
    Object.assign(handler, { [streamingMark]: "response", [highWaterMark]: options?.highWaterMark });
    return handler;
  },
  HttpResponseStream: Object.freeze({
    from(stream: object, prelude: unknown): object {
      Object.assign(stream, { [preludeMark]: prelude ?? {} });
      return stream;
    },
  }),
});
