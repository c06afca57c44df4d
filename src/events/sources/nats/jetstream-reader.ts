/** NatsJetStreamSource: a durable consumer, whose position is the server's; acknowledged when the sink has the event. */
import {
  AckPolicy,
  DeliverPolicy,
  JetStreamApiError,
  jetstream,
  jetstreamManager,
  type ConsumerConfig,
  type ConsumerMessages,
  type JetStreamManager,
  type JsMsg,
} from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { parseDuration } from "../../../api/meta/duration.ts";
import { sleep } from "../../../client/clock.ts";
import { InFlight } from "../in-flight.ts";
import type { OpenSource, SourceContext, SourceReader } from "../source-reader.ts";
import { connectNats, type NatsSettings } from "./nats-connection.ts";
import { natsEvents } from "./nats-event.ts";

/** `NatsJetStreamSourceSpec` of src/api/sources/messages-ebb.ts. */
interface JetStreamSettings extends NatsSettings {
  readonly stream: string;
  readonly subjects?: readonly string[];
  readonly consumer?: string;
  readonly deliverPolicy?: keyof typeof policies;
  readonly optStartSeq?: number;
  readonly optStartTime?: string;
  readonly ackWait?: string;
  readonly maxAckPending?: number;
}

const policies = {
  All: DeliverPolicy.All,
  Last: DeliverPolicy.Last,
  New: DeliverPolicy.New,
  ByStartSequence: DeliverPolicy.StartSequence,
  ByStartTime: DeliverPolicy.StartTime,
  LastPerSubject: DeliverPolicy.LastPerSubject,
} as const;

const defaultMaxPending = 100;
const defaultAckWaitMs = 30_000;
/** For what was said last to reach the server. */
const drainMs = 2000;

export const jetStreamReader: SourceReader = {
  kind: "NatsJetStreamSource",
  leftBehind(given, uid) {
    const { stream, consumer } = given as JetStreamSettings;
    return consumer === undefined ? `nats consumer rm ${stream} ebb-${uid}` : undefined;
  },
  async open(given, context) {
    const settings = given as JetStreamSettings;
    const connection = await connectNats(settings, context);
    try {
      return await read(connection, settings, context);
    } catch (error) {
      await connection.close();
      throw error;
    }
  },
};

async function read(
  connection: NatsConnection,
  settings: JetStreamSettings,
  context: SourceContext,
): Promise<OpenSource> {
  const manager = await explained(settings, () => jetstreamManager(connection));
  const info = await explained(settings, () => bringConsumer(manager, settings, context));
  const consumer = await jetstream(connection).consumers.get(settings.stream, info.name);
  const pending = new Pending(settings, context, (info.config.ack_wait ?? defaultAckWaitMs * 1e6) / 1e6);
  const messages = await consumer.consume({
    max_messages: settings.maxAckPending ?? defaultMaxPending,
    callback: (message) => pending.take(message),
  });
  void watch(messages, settings, context);
  return {
    async close({ forget }) {
      messages.stop();
      await pending.close();
      const forgotten = forget && info.isOwn ? manager.consumers.delete(settings.stream, info.name) : undefined;
      // Told below; the connection is closed either way.
      await forgotten?.catch(() => undefined);
      await Promise.race([connection.drain(), sleep(context.clock, drainMs, AbortSignal.timeout(2 * drainMs))]).catch(
        () => undefined,
      );
      await connection.close();
      await forgotten;
    },
  };
}

interface ConsumerFacts {
  readonly name: string;
  readonly config: Partial<ConsumerConfig>;
  /** Made for this source alone. */
  readonly isOwn: boolean;
}

/** The consumer named, made when it is missing; one of the source's own is brought in line. */
async function bringConsumer(
  manager: JetStreamManager,
  settings: JetStreamSettings,
  { uid, namespace, name: sourceName }: SourceContext,
): Promise<ConsumerFacts> {
  const { stream, consumer, subjects = [] } = settings;
  const name = consumer ?? `ebb-${uid}`;
  const changeable = {
    max_ack_pending: settings.maxAckPending ?? defaultMaxPending,
    ack_wait:
      ((settings.ackWait === undefined ? undefined : parseDuration(settings.ackWait)) ?? defaultAckWaitMs) * 1e6,
    // Several are known since 2.10.
    ...(subjects.length === 1 ? { filter_subject: subjects[0] ?? "" } : {}),
    ...(subjects.length > 1 ? { filter_subjects: [...subjects] } : {}),
  };
  const known = await unlessMissing(manager.consumers.info(stream, name));
  if (known && consumer !== undefined) return { name, config: known.config, isOwn: false };
  if (known) return { name, config: (await manager.consumers.update(stream, name, changeable)).config, isOwn: true };
  const made = await manager.consumers.add(stream, {
    durable_name: name,
    description: `ebb: NatsJetStreamSource ${namespace}/${sourceName}`,
    ack_policy: AckPolicy.Explicit,
    deliver_policy: policies[settings.deliverPolicy ?? "New"],
    ...(settings.optStartSeq ? { opt_start_seq: settings.optStartSeq } : {}),
    ...(settings.optStartTime ? { opt_start_time: settings.optStartTime } : {}),
    ...changeable,
  });
  return { name, config: made.config, isOwn: consumer === undefined };
}

const consumerNotFound = 10_014;
const streamNotFound = 10_059;

async function unlessMissing<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === consumerNotFound) return undefined;
    throw error;
  }
}

async function explained<T>({ stream, servers }: JetStreamSettings, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === streamNotFound)
      throw new Error(`there is no stream "${stream}" in NATS: create it, or correct spec.stream`, { cause: error });
    const why = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    throw new Error(`JetStream at ${servers.join(", ")} does not let "${stream}" be read: ${why}`, { cause: error });
  }
}

/** What the client tells while it pulls. A consumer or stream that is gone is looked for anew. */
async function watch(messages: ConsumerMessages, { stream }: JetStreamSettings, context: SourceContext): Promise<void> {
  for await (const status of messages.status()) {
    if (
      status.type === "consumer_deleted" ||
      status.type === "consumer_not_found" ||
      status.type === "stream_not_found"
    ) {
      context.failed(new Error(`the stream "${stream}" or its consumer was removed`));
      return;
    }
  }
}

/** Messages that the server waits for an answer to: it is told in time that they are still being worked on. */
class Pending {
  readonly #settings: JetStreamSettings;
  readonly #context: SourceContext;
  readonly #inFlight: InFlight;
  readonly #messages = new Set<JsMsg>();
  readonly #remindMs: number;
  #cancel: (() => void) | undefined;

  constructor(settings: JetStreamSettings, context: SourceContext, ackWaitMs: number) {
    this.#settings = settings;
    this.#context = context;
    this.#inFlight = new InFlight(settings.maxAckPending ?? defaultMaxPending);
    this.#remindMs = ackWaitMs / 3;
  }

  take(message: JsMsg): void {
    this.#messages.add(message);
    this.#cancel ??= this.#context.clock.after(this.#remindMs, () => this.#remind());
    void this.#inFlight.run(() => this.#deliver(message));
  }

  async #deliver(message: JsMsg): Promise<void> {
    try {
      if (await this.#wasTaken(message)) message.ack();
      else message.nak();
    } catch (error) {
      // The connection is gone: the server delivers it again.
      this.#context.log.debug("a message was not acknowledged", { err: error });
    } finally {
      this.#messages.delete(message);
    }
  }

  async #wasTaken(message: JsMsg): Promise<boolean> {
    const { signal, log } = this.#context;
    if (signal.aborted) return false;
    const { stream } = this.#settings;
    const plain = {
      id: `${stream}/${message.seq}`,
      source: this.#context.sourceOf(),
      time: new Date(message.timestamp).toISOString(),
    };
    for (const event of natsEvents(message, plain, log))
      if ((await this.#context.deliver(event)) !== "delivered") return false;
    return true;
  }

  #remind(): void {
    this.#cancel = undefined;
    if (this.#messages.size === 0) return;
    for (const message of this.#messages) message.working();
    this.#cancel = this.#context.clock.after(this.#remindMs, () => this.#remind());
  }

  async close(): Promise<void> {
    await this.#inFlight.idle();
    this.#cancel?.();
  }
}
