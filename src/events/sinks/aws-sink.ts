/**
 * IntegrationSink spec.aws: an object of a bucket, a message of a queue or of a topic for each event (upstream runs Camel
 * kamelets aws-s3-sink, aws-sqs-sink, aws-sns-sink). The data is the content; attributes are metadata with `ce-` in front.
 */
import type { AwsSinkAction } from "../../api/eventing/sink-engine.ts";
import { AwsError, createAwsService, nameInArn, xmlText, type AwsService } from "../aws/aws-service.ts";
import { openBucket } from "../aws/s3-bucket.ts";
import { openQueue } from "../aws/sqs-queue.ts";
import type { Reply } from "../ingress/answer.ts";
import type { StoredEvent } from "../wire/stored-event.ts";
import type { OpenSink } from "./sink-action.ts";

type Send = (event: StoredEvent, signal: AbortSignal) => Promise<void>;

export function openAwsSink(of: Pick<OpenSink, "key" | "uid">, action: AwsSinkAction): OpenSink {
  const send = senderOf(action);
  return {
    ...of,
    batches: true,
    async take(event, { signal }): Promise<Reply> {
      try {
        await send(event, signal);
        return { status: 202 };
      } catch (error) {
        if (signal.aborted) throw error;
        const reason = error instanceof Error ? error.message : String(error);
        // Either is worth another attempt: credentials and buckets are mended while events wait.
        const status = error instanceof AwsError && (error.status === 429 || error.status === 503) ? 503 : 502;
        return { status, message: `not written: ${reason}` };
      }
    },
  };
}

function senderOf({ service, settings, credentials }: AwsSinkAction): Send {
  switch (service) {
    case "s3":
      return s3Sender(openBucket(settings, createAwsService("s3", settings, { credentials })), settings.prefix ?? "");
    case "sqs": {
      const domain = settings.host;
      const aws = createAwsService("sqs", settings, { credentials, ...(domain ? { domain } : {}) });
      const queue = openQueue(settings, aws);
      return (event, signal) => queue.send(bodyText(event), messageAttributes(event), signal);
    }
    case "sns":
      return snsSender(settings, createAwsService("sns", settings, { credentials }));
    default:
      return service satisfies never;
  }
}

/** The object's name is the extension `key`, else the event's id. */
const s3Sender =
  (bucket: ReturnType<typeof openBucket>, prefix: string): Send =>
  async (event, signal) => {
    const { key, id, datacontenttype } = event.attributes;
    const headers: Record<string, string> = { "content-type": String(datacontenttype ?? "application/octet-stream") };
    for (const [name, value] of attributesOf(event)) headers[`x-amz-meta-ce-${name}`] = encodeURIComponent(value);
    await bucket.put(`${prefix}${String(key ?? id)}`, event.data ?? new Uint8Array(0), { headers, signal });
  };

function snsSender(
  { arn = "", autoCreateTopic }: Extract<AwsSinkAction, { readonly service: "sns" }>["settings"],
  aws: AwsService,
): Send {
  let topic = arn.startsWith("arn:") && !autoCreateTopic ? arn : undefined;
  const call = async (fields: Readonly<Record<string, string>>, signal: AbortSignal): Promise<string> => {
    const headers = { "content-type": "application/x-www-form-urlencoded; charset=utf-8" };
    const body = new URLSearchParams({ Version: "2010-03-31", ...fields }).toString();
    return (await aws.send({ headers, body, signal })).body.toString("utf8");
  };
  return async (event, signal) => {
    // Making a topic that is there gives its name, too.
    topic ??= xmlText(await call({ Action: "CreateTopic", Name: nameInArn(arn) }, signal), "TopicArn") ?? arn;
    const fields: Record<string, string> = { Action: "Publish", TopicArn: topic, Message: bodyText(event) };
    for (const [i, [name, value]] of Object.entries(messageAttributes(event)).entries()) {
      fields[`MessageAttributes.entry.${i + 1}.Name`] = name;
      fields[`MessageAttributes.entry.${i + 1}.Value.DataType`] = "String";
      fields[`MessageAttributes.entry.${i + 1}.Value.StringValue`] = value;
    }
    await call(fields, signal);
  };
}

const attributesOf = ({ attributes }: StoredEvent): readonly (readonly [string, string])[] =>
  Object.entries(attributes)
    .filter(([name, value]) => name !== "knativebrokerttl" && value !== "")
    .map(([name, value]) => [name, String(value)]);

/** Messages have ten attributes at most: those every event has come first. */
const firstAttributes = ["id", "source", "type", "specversion", "subject", "time", "datacontenttype"];

function messageAttributes(event: StoredEvent): Readonly<Record<string, string>> {
  const rank = (name: string): number => (firstAttributes.indexOf(name) + 99) % 99;
  const sorted = attributesOf(event).toSorted(([a], [b]) => rank(a) - rank(b));
  return Object.fromEntries(sorted.slice(0, 10).map(([name, value]) => [`ce-${name}`, value]));
}

/** Messages are text and never empty. */
function bodyText({ data }: StoredEvent): string {
  if (data === undefined || data.length === 0) return " ";
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const text = bytes.toString("utf8");
  return Buffer.from(text).equals(bytes) ? text : bytes.toString("base64");
}
