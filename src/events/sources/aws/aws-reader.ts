/**
 * IntegrationSource spec.aws: messages of a queue and objects of a bucket. What is read goes when the sink has it
 * (`deleteAfterRead`), and stays otherwise: an object that stays is told once for each of its contents while ebb runs.
 */
import { isJsonType } from "../../../api/cloudevents/cloud-event.ts";
import type { AwsKeys } from "../../../api/eventing/sink-engine.ts";
import type { AWSS3, AWSSQS } from "../../../api/sources/types-v1alpha1.gen.ts";
import { sleep } from "../../../client/clock.ts";
import { createAwsService } from "../../aws/aws-service.ts";
import { openBucket, type S3Bucket, type S3Object } from "../../aws/s3-bucket.ts";
import { openQueue, type SqsMessage } from "../../aws/sqs-queue.ts";
import type { OpenSource, SourceContext, SourceReader } from "../source-reader.ts";

interface Settings {
  readonly aws: {
    readonly s3?: AWSS3;
    readonly sqs?: AWSSQS;
    readonly credentials: AwsKeys;
  };
}

/** Reads once; resolves to whether there may be more at once. */
type Look = (signal: AbortSignal) => Promise<boolean>;

export const awsReader: SourceReader = {
  kind: "IntegrationSource",
  async open(given, context) {
    const { s3, sqs, credentials } = (given as Settings).aws;
    if (sqs) {
      const options = { credentials, ...(sqs.host ? { domain: sqs.host } : {}) };
      return poll(lookAtQueue(sqs, openQueue(sqs, createAwsService("sqs", sqs, options)), context), sqs.delay, context);
    }
    if (s3)
      return poll(
        lookAtBucket(s3, openBucket(s3, createAwsService("s3", s3, { credentials })), context),
        s3.delay,
        context,
      );
    throw new Error("only aws.s3 and aws.sqs are read here");
  },
};

/** The first look says whether it can be read at all. */
async function poll(look: Look, delayMs = 500, context: SourceContext): Promise<OpenSource> {
  const { signal, clock } = context;
  let more = await look(signal);
  const read = async (): Promise<void> => {
    while (!signal.aborted) {
      if (!more) await sleep(clock, delayMs, signal);
      more = await look(signal);
    }
  };
  const ended = read().catch((error: unknown) => {
    if (!signal.aborted) context.failed(error);
  });
  return { close: () => ended };
}

const lookAtQueue =
  (settings: AWSSQS, queue: ReturnType<typeof openQueue>, context: SourceContext): Look =>
  async (signal) => {
    const messages = await queue.receive(signal);
    // What was delivered must go even when reading ends meanwhile.
    const always = new AbortController().signal;
    await Promise.all(
      messages.map(async (message) => {
        const outcome = await context.deliver(messageEvent(message, context), { signal });
        if (outcome === "refused") await queue.giveBack(message, always);
        else if (settings.deleteAfterRead !== false) await queue.remove(message, always);
      }),
    );
    return messages.length > 0 && settings.greedy === true;
  };

function messageEvent({ MessageId, Body, MessageAttributes = {} }: SqsMessage, context: SourceContext): Event {
  const attribute = (name: string): string | undefined => MessageAttributes[`ce-${name}`]?.StringValue;
  return {
    specversion: "1.0",
    id: MessageId,
    source: context.sourceOf(),
    type: "dev.knative.connector.event.aws-sqs",
    datacontenttype: attribute("datacontenttype") ?? "text/plain; charset=utf-8",
    time: new Date(context.clock.now()).toISOString(),
    data: Buffer.from(Body),
  };
}

type Event = Parameters<SourceContext["deliver"]>[0];

/** Contents that were told and stay in the bucket; more than this and the eldest may be told again. */
const maxKnown = 100_000;

function lookAtBucket(settings: AWSS3, bucket: S3Bucket, context: SourceContext): Look {
  const { prefix = "", maxMessagesPerPoll = 10, deleteAfterRead } = settings;
  const known = new Set<string>();
  let after = "";
  return async (signal) => {
    const objects = await bucket.list({ prefix, max: maxMessagesPerPoll, after, signal });
    for (const object of objects) {
      const version = `${object.key}\n${object.etag}`;
      if (known.has(version)) continue;
      const outcome = await tellObject(settings, bucket, object, context);
      if (outcome === "refused") return false;
      if (deleteAfterRead === false) {
        if (known.size >= maxKnown) known.delete(known.values().next().value ?? "");
        known.add(version);
      }
    }
    // What goes makes room at the beginning; what stays is passed by.
    const isFull = objects.length === maxMessagesPerPoll;
    after = deleteAfterRead === false && isFull ? (objects.at(-1)?.key ?? "") : "";
    return isFull;
  };
}

async function tellObject(
  settings: AWSS3,
  bucket: S3Bucket,
  { key, etag }: S3Object,
  context: SourceContext,
): Promise<"delivered" | "refused"> {
  const { signal } = context;
  const { headers, body } = await bucket.get(key, signal);
  const type = headers.get("content-type") ?? "application/octet-stream";
  const outcome = await context.deliver(
    {
      specversion: "1.0",
      id: `${bucket.name}/${key}#${etag}`,
      source: context.sourceOf(),
      type: "dev.knative.connector.event.aws-s3",
      subject: key,
      time: new Date(context.clock.now()).toISOString(),
      ...(settings.ignoreBody
        ? {}
        : { datacontenttype: type, data: isJsonType(type) || body.length > 0 ? body : Buffer.alloc(0) }),
    },
    { signal },
  );
  if (outcome === "refused" || settings.deleteAfterRead === false) return outcome;
  const always = new AbortController().signal;
  if (settings.moveAfterRead) {
    const { destinationBucket = bucket.name, destinationBucketPrefix = "", destinationBucketSuffix = "" } = settings;
    const to = { bucket: destinationBucket, key: `${destinationBucketPrefix}${key}${destinationBucketSuffix}` };
    await bucket.copy(key, to, always);
  }
  await bucket.remove(key, always);
  return outcome;
}
