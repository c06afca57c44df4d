import type { IncomingMessage } from "node:http";
import type { CloudEvent } from "../../../api/cloudevents/cloud-event.ts";
import { isFunction, member } from "../detect-model.ts";

type Callback = (error?: unknown, result?: unknown) => void;
type AnyFunction = (...args: never[]) => unknown;

/** Calls `(…args)` or, when it declares one parameter more, `(…args, callback)`; resolves with either's result. */
export function callWithCallback(fn: AnyFunction, args: readonly unknown[]): Promise<unknown> {
  if (fn.length <= args.length) return Promise.resolve(Reflect.apply(fn, undefined, args) as unknown);
  return new Promise((resolve, reject) => {
    const callback: Callback = (error, result) => {
      if (error !== undefined && error !== null) reject(error);
      else resolve(result);
    };
    const returned: unknown = Reflect.apply(fn, undefined, [...args, callback]);
    if (isFunction(member(returned, "then"))) void Promise.resolve(returned).then(resolve, reject);
  });
}

/** The two arguments of a background function, the framework's older event signature. */
export interface BackgroundEvent {
  readonly data: unknown;
  readonly context: {
    readonly eventId?: string;
    readonly timestamp?: string;
    readonly eventType?: string;
    readonly resource?: unknown;
  };
}

export function fromCloudEvent(event: CloudEvent): BackgroundEvent {
  const { id, time, type, source, subject, data } = event;
  const resource = subject === undefined ? source : `${source}/${subject}`;
  return {
    data,
    context: { eventId: id, ...(time === undefined ? {} : { timestamp: time }), eventType: type, resource },
  };
}

/** `{data, context}`, its flat older form, or a Pub/Sub push; undefined for what is none of them. */
export function fromBody(body: unknown, req: IncomingMessage): BackgroundEvent | undefined {
  if (typeof body !== "object" || body === null) return undefined;
  const { message, subscription, data, context, ...flat } = body as Readonly<Record<string, unknown>>;
  if (typeof message === "object" && message !== null && typeof subscription === "string")
    return fromPush(message as Readonly<Record<string, unknown>>, req);
  if (typeof context === "object" && context !== null) return { data, context };
  if (data !== undefined && typeof flat["eventId"] === "string") return { data, context: flat };
  return undefined;
}

function fromPush(message: Readonly<Record<string, unknown>>, req: IncomingMessage): BackgroundEvent {
  const topic = /projects\/[^/?]+\/topics\/[^/?]+/.exec(req.url ?? "")?.[0] ?? null;
  const text = (name: string, old: string): string | undefined => {
    const value = message[name] ?? message[old];
    return typeof value === "string" ? value : undefined;
  };
  const [id, time] = [text("messageId", "message_id"), text("publishTime", "publish_time")];
  return {
    data: {
      "@type": "type.googleapis.com/google.pubsub.v1.PubsubMessage",
      data: message["data"],
      attributes: message["attributes"] ?? {},
    },
    context: {
      ...(id === undefined ? {} : { eventId: id }),
      timestamp: time ?? new Date().toISOString(),
      eventType: "google.pubsub.topic.publish",
      resource: {
        service: "pubsub.googleapis.com",
        type: "type.googleapis.com/google.pubsub.v1.PubsubMessage",
        name: topic,
      },
    },
  };
}
