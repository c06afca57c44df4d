/** RabbitmqSource: a consumer of a queue; a message is acknowledged when the sink has it, and requeued otherwise. */
import { connect, type Channel, type ChannelModel, type ConsumeMessage } from "amqplib";
import { sleep } from "../../../client/clock.ts";
import { InFlight } from "../in-flight.ts";
import type { OpenSource, SourceContext, SourceReader } from "../source-reader.ts";
import { rabbitmqEvents } from "./rabbitmq-event.ts";
import { addressOf, explain, type RabbitmqSettings } from "./rabbitmq-settings.ts";

const closeMs = 3000;
/** Matches every message of exchanges of types topic, headers and fanout. */
const all = { pattern: "#", args: { "x-match": "all" } } as const;

export const rabbitmqReader: SourceReader = {
  kind: "RabbitmqSource",
  leftBehind(given) {
    const { queueName, predeclared = false } = (given as RabbitmqSettings).rabbitmqResourcesConfig;
    return predeclared ? undefined : `rabbitmqctl delete_queue ${queueName} --if-empty (and its vhost with -p)`;
  },
  async open(given, context) {
    const settings = given as RabbitmqSettings;
    const { url, socket, at } = addressOf(settings, `ebb ${context.namespace}/${context.name}`);
    let connection: ChannelModel | undefined;
    try {
      connection = await connect(url, socket);
      const fail = (error: unknown): void => context.failed(new Error(explain(at, settings, error), { cause: error }));
      connection.on("error", fail);
      connection.on("close", (error?: Error) => fail(error ?? new Error("Socket closed")));
      if (!settings.rabbitmqResourcesConfig.predeclared) await makeQueue(connection, settings);
      return await consume(connection, settings, { context, fail });
    } catch (error) {
      await connection?.close().catch(() => undefined);
      throw new Error(explain(at, settings, error), { cause: error });
    }
  },
};

/** What is there is taken as it is; what is missing is made as upstream has it made. */
async function makeQueue(
  connection: ChannelModel,
  { rabbitmqResourcesConfig: config }: RabbitmqSettings,
): Promise<void> {
  const { queueName, queueType = "quorum", exchangeName = "" } = config;
  const options = { durable: true, arguments: { "x-queue-type": queueType } };
  await unlessThere(
    connection,
    (channel) => channel.checkExchange(exchangeName),
    (channel) => channel.assertExchange(exchangeName, "headers", { durable: true }),
  );
  await unlessThere(
    connection,
    (channel) => channel.checkQueue(queueName),
    (channel) => channel.assertQueue(queueName, options),
  );
  await onChannel(connection, (channel) => channel.bindQueue(queueName, exchangeName, all.pattern, all.args));
}

async function unlessThere(
  connection: ChannelModel,
  look: (channel: Channel) => Promise<unknown>,
  make: (channel: Channel) => Promise<unknown>,
): Promise<void> {
  try {
    await onChannel(connection, look);
  } catch (error) {
    if ((error as { readonly code?: unknown }).code !== 404) throw error;
    await onChannel(connection, make);
  }
}

/** The server closes a channel on which something was refused, so each question has its own. */
async function onChannel<T>(connection: ChannelModel, run: (channel: Channel) => Promise<T>): Promise<T> {
  const channel = await connection.createChannel();
  // The refusal is what run rejects with.
  channel.on("error", () => undefined);
  const result = await run(channel);
  await channel.close();
  return result;
}

interface Reading {
  readonly context: SourceContext;
  readonly fail: (error: unknown) => void;
}

async function consume(
  connection: ChannelModel,
  settings: RabbitmqSettings,
  { context, fail }: Reading,
): Promise<OpenSource> {
  const { queueName, parallelism = 1 } = settings.rabbitmqResourcesConfig;
  const inFlight = new InFlight(parallelism);
  const channel = await connection.createChannel();
  channel.on("error", fail);
  channel.on("close", () => fail(new Error("the channel was closed")));
  await channel.prefetch(parallelism);
  const { consumerTag } = await channel.consume(queueName, (message) => {
    if (message) void inFlight.run(() => deliver(channel, message, { queueName, context }));
    else fail(new Error(`the queue "${queueName}" was removed`));
  });
  return {
    async close({ forget }) {
      const { clock } = context;
      await soon(channel.cancel(consumerTag));
      await inFlight.idle();
      try {
        if (forget) await removeQueue(connection, settings);
      } finally {
        // Acknowledgements go out before the channel's end is confirmed.
        await soon(channel.close());
        await soon(connection.close());
      }
      async function soon(work: Promise<unknown>): Promise<void> {
        const limit = AbortSignal.timeout(2 * closeMs);
        await Promise.race([work, sleep(clock, closeMs, limit)]).catch(() => undefined);
      }
    },
  };
}

async function deliver(
  channel: Channel,
  message: ConsumeMessage,
  { queueName, context }: { readonly queueName: string; readonly context: SourceContext },
): Promise<void> {
  const isTaken = !context.signal.aborted && (await isDelivered(message, queueName, context));
  try {
    if (isTaken) channel.ack(message);
    else channel.nack(message, false, true);
  } catch (error) {
    // The channel is gone: the server gives the message to the next one.
    context.log.debug("a message was not acknowledged", { err: error });
  }
}

async function isDelivered(message: ConsumeMessage, queueName: string, context: SourceContext): Promise<boolean> {
  const facts = { source: `${context.sourceOf()}#${queueName}`, nowMs: context.clock.now() };
  for (const event of rabbitmqEvents(message, facts, context.log))
    if ((await context.deliver(event)) === "refused") return false;
  return true;
}

/** A queue that was made for the source goes with it, unless there is something in it. */
async function removeQueue(
  connection: ChannelModel,
  { rabbitmqResourcesConfig: config }: RabbitmqSettings,
): Promise<void> {
  const { queueName, exchangeName = "", predeclared = false } = config;
  if (predeclared) return;
  await onChannel(connection, (channel) => channel.unbindQueue(queueName, exchangeName, all.pattern, all.args));
  const { messageCount } = await onChannel(connection, (channel) => channel.checkQueue(queueName));
  if (messageCount > 0)
    throw new Error(`the queue "${queueName}" still holds ${messageCount} messages: take them out, then delete it`);
  await onChannel(connection, (channel) => channel.deleteQueue(queueName));
}
