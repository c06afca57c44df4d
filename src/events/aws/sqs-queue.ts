import type { AWSSQS } from "../../api/sources/types-v1alpha1.gen.ts";
import { AwsError, nameInArn, type AwsService } from "./aws-service.ts";

export interface SqsMessage {
  readonly MessageId: string;
  readonly ReceiptHandle: string;
  readonly Body: string;
  readonly MessageAttributes?: Readonly<Record<string, { readonly StringValue?: string }>>;
}

export interface SqsQueue {
  send(body: string, attributes: Readonly<Record<string, string>>, signal: AbortSignal): Promise<void>;
  receive(signal: AbortSignal): Promise<readonly SqsMessage[]>;
  remove(message: SqsMessage, signal: AbortSignal): Promise<void>;
  /** Others may have it at once. */
  giveBack(message: SqsMessage, signal: AbortSignal): Promise<void>;
}

type Json = Readonly<Record<string, unknown>>;

/** The queue is made when it is missing and `autoCreateQueue` says so (AWS JSON protocol 1.0). */
export function openQueue(settings: AWSSQS, service: AwsService): SqsQueue {
  const call = async (action: string, body: Json, signal: AbortSignal): Promise<Json> => {
    const answer = await service.send({
      headers: { "content-type": "application/x-amz-json-1.0", "x-amz-target": `AmazonSQS.${action}` },
      body: JSON.stringify(body),
      signal,
    });
    return answer.body.length === 0 ? {} : (JSON.parse(answer.body.toString("utf8")) as Json);
  };
  let known = settings.queueURL || undefined;
  const url = async (signal: AbortSignal): Promise<string> => (known ??= await findQueue(settings, call, signal));
  return {
    async send(body, attributes, signal) {
      const MessageAttributes = Object.fromEntries(
        Object.entries(attributes).map(([name, value]) => [name, { DataType: "String", StringValue: value }]),
      );
      await call("SendMessage", { QueueUrl: await url(signal), MessageBody: body, MessageAttributes }, signal);
    },
    async receive(signal) {
      const { maxMessagesPerPoll = 1, waitTimeSeconds, visibilityTimeout } = settings;
      const answer = await call(
        "ReceiveMessage",
        {
          QueueUrl: await url(signal),
          MaxNumberOfMessages: Math.min(10, Math.max(1, maxMessagesPerPoll)),
          MessageAttributeNames: ["All"],
          ...(waitTimeSeconds === undefined ? {} : { WaitTimeSeconds: waitTimeSeconds }),
          ...(visibilityTimeout === undefined ? {} : { VisibilityTimeout: visibilityTimeout }),
        },
        signal,
      );
      return (answer["Messages"] ?? []) as readonly SqsMessage[];
    },
    async remove({ ReceiptHandle }, signal) {
      await call("DeleteMessage", { QueueUrl: await url(signal), ReceiptHandle }, signal);
    },
    async giveBack({ ReceiptHandle }, signal) {
      const body = { QueueUrl: await url(signal), ReceiptHandle, VisibilityTimeout: 0 };
      await call("ChangeMessageVisibility", body, signal);
    },
  };
}

async function findQueue(
  { arn = "", autoCreateQueue }: AWSSQS,
  call: (action: string, body: Json, signal: AbortSignal) => Promise<Json>,
  signal: AbortSignal,
): Promise<string> {
  const QueueName = nameInArn(arn);
  try {
    return String((await call("GetQueueUrl", { QueueName }, signal))["QueueUrl"]);
  } catch (error) {
    if (!(error instanceof AwsError) || !/NonExistentQueue|QueueDoesNotExist/.test(error.code) || !autoCreateQueue)
      throw error;
    return String((await call("CreateQueue", { QueueName }, signal))["QueueUrl"]);
  }
}
