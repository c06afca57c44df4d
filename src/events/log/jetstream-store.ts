import { jetstream, jetstreamManager, type JetStreamClient, type JetStreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import type { Clock } from "../../client/clock.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { AskingBus } from "../sharing/bus.ts";
import type {
  CursorSharing,
  DeadLetter,
  Durability,
  EventStore,
  EventStream,
  SavedCursor,
  StoredDocument,
  StreamLimits,
} from "./event-store.ts";
import { decodeMessage, encodeMessage } from "./jetstream-codec.ts";
import { JetStreamCursors } from "./jetstream-cursors.ts";
import { natsBus } from "./nats-bus.ts";
import { JetStreamPublisher } from "./jetstream-publisher.ts";
import { JetStreamState, token, type Entry } from "./jetstream-state.ts";
import { accessOptions, type NatsAccess } from "./nats-access.ts";
import { openNatsRoom, type NatsRoom } from "./nats-room.ts";
import { askSyncing, durabilityBy, worthOf, type Syncing } from "./nats-worth.ts";
import { NatsStream, natsLimits, type NatsStreamNames } from "./jetstream-stream.ts";

export interface JetStreamOptions {
  /** `nats://host:4222`; several servers of one cluster, separated by commas. */
  readonly servers: string;
  readonly access?: NatsAccess;
  /** Copies of each stream. Default 1; three nodes allow 3. */
  readonly replicas?: number;
  /** `http://host:8222`: where servers tell how often they sync to disk; commas between. Without it nothing is claimed. */
  readonly monitorUrl?: string;
  readonly dedupWindowMs?: number;
  /** Events end with the server: nothing it acknowledges is worth anything once it is gone. */
  readonly ephemeral?: boolean;
  /** Name of this process, another one after every start, where several share the consumers. */
  readonly holder?: string;
}

/** The store, and the way to other processes that use the same server. */
export interface JetStreamLog extends EventStore {
  readonly bus: AskingBus;
  /** Undefined where this process has no name: it is alone. */
  readonly sharing: CursorSharing | undefined;
}

const connectMs = 5000;
const weekMs = 7 * 24 * 3_600_000;

/** Opens the log of a NATS server with JetStream. Rejects when it cannot be reached or has no JetStream. */
export async function openJetStreamStore(
  options: JetStreamOptions,
  deps: { readonly clock: Clock; readonly log: Logger },
): Promise<JetStreamLog> {
  const servers = options.servers.split(",").map((server) => URL.parse(server)?.host ?? server);
  const connection = await connect({
    servers,
    name: "ebb",
    timeout: connectMs,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 500,
    ...accessOptions(options.access ?? {}, servers),
  });
  try {
    const clients = { js: jetstream(connection), jsm: await jetstreamManager(connection) };
    const monitors = options.monitorUrl?.split(",") ?? [];
    const syncing = await askSyncing(monitors);
    // Where each keeps a copy of all, the one with the least room decides; else nobody knows whose room counts.
    const keepsAll = monitors.length > 0 && (options.replicas ?? 1) >= monitors.length;
    const room = keepsAll ? await openNatsRoom(monitors, deps) : undefined;
    const store = new JetStreamStore(connection, clients, { ...options, syncing, room }, deps);
    await store.open();
    return store;
  } catch (error) {
    await connection.close();
    throw error;
  }
}

interface Settings extends JetStreamOptions {
  readonly syncing: Syncing;
  readonly room: NatsRoom | undefined;
}

class JetStreamStore implements JetStreamLog {
  readonly durability: Durability;
  readonly largestBytes: number;
  readonly bus: AskingBus;
  readonly sharing: CursorSharing | undefined;
  readonly #connection: NatsConnection;
  readonly #clients: { readonly js: JetStreamClient; readonly jsm: JetStreamManager };
  readonly #options: Settings;
  readonly #deps: { readonly clock: Clock; readonly log: Logger };
  readonly #state: JetStreamState;
  readonly #documents: JetStreamState;
  readonly #streams = new Map<string, Promise<NatsStream>>();
  readonly #cursors: JetStreamCursors;
  readonly #publisher: JetStreamPublisher;

  constructor(
    connection: NatsConnection,
    clients: { readonly js: JetStreamClient; readonly jsm: JetStreamManager },
    options: Settings,
    deps: { readonly clock: Clock; readonly log: Logger },
  ) {
    this.durability = durabilityBy(options.syncing, options.ephemeral ?? false);
    this.#connection = connection;
    this.#clients = clients;
    this.#options = options;
    this.#deps = deps;
    this.#publisher = new JetStreamPublisher(connection, deps.clock);
    this.#state = new JetStreamState("EBB_STATE", "ebb.state", clients);
    const { holder } = options;
    this.#cursors = new JetStreamCursors({
      ...deps,
      state: this.#state,
      ...(holder === undefined ? {} : { holder }),
      isClosed: () => connection.isClosed(),
    });
    this.sharing = this.#cursors.sharing;
    this.largestBytes = connection.info?.max_payload ?? Infinity;
    this.bus = natsBus(connection, deps.log);
    this.#documents = new JetStreamState("EBB_DOCUMENTS", "ebb.documents", clients);
  }

  async open(): Promise<void> {
    const replicas = this.#options.replicas ?? 1;
    await this.#state.open({ replicas });
    await this.#documents.open({ replicas, maxAgeMs: weekMs });
  }

  async openStream(name: string, limits: StreamLimits): Promise<EventStream> {
    const names = namesOf(name);
    let stream = this.#streams.get(name);
    if (stream) {
      await this.#clients.jsm.streams.update(names.stream, natsLimits(limits));
      (await stream).setLimits(limits);
      return stream;
    }
    stream = this.#openStream(names, limits);
    this.#streams.set(name, stream);
    stream.catch(() => this.#streams.delete(name));
    return stream;
  }

  async #openStream(names: NatsStreamNames, limits: StreamLimits): Promise<NatsStream> {
    const { dedupWindowMs = 120_000, replicas = 1 } = this.#options;
    const config = {
      name: names.stream,
      description: names.name,
      subjects: [names.subject],
      num_replicas: replicas,
      allow_direct: true,
      duplicate_window: Math.min(dedupWindowMs, limits.maxAgeMs ?? dedupWindowMs) * 1e6,
      ...natsLimits(limits),
    };
    const made = await this.#clients.jsm.streams.add(config).catch((error: unknown) => {
      // There with other limits.
      if ((error as { readonly code?: unknown }).code !== 10_058) throw error;
      return this.#clients.jsm.streams.update(names.stream, config);
    });
    const { syncing, ephemeral = false, room } = this.#options;
    const parts = { ...this.#clients, ...this.#deps, publisher: this.#publisher, ...(room ? { room } : {}) };
    const worth = worthOf(made.config, { syncing, ephemeral });
    const stream = new NatsStream({ ...names, worth }, limits, parts);
    await stream.open();
    return stream;
  }

  async removeStream(name: string): Promise<void> {
    const open = this.#streams.get(name);
    this.#streams.delete(name);
    if (open) (await open).end();
    try {
      await this.#clients.jsm.streams.delete(namesOf(name).stream);
    } catch (error) {
      if ((error as { readonly code?: unknown }).code !== streamNotFound) throw error;
    }
  }

  async streamNames(prefix: string): Promise<readonly string[]> {
    const names: string[] = [];
    for await (const { config } of this.#clients.jsm.streams.list())
      if (config.name.startsWith("EBB_S_") && config.description?.startsWith(prefix)) names.push(config.description);
    return names;
  }

  readCursor(consumer: string): Promise<SavedCursor | undefined> {
    return this.#cursors.read(consumer);
  }

  saveCursor(consumer: string, cursor: SavedCursor): void {
    this.#cursors.save(consumer, cursor);
  }

  async removeCursor(consumer: string): Promise<void> {
    await this.#cursors.remove(consumer);
    await this.#state.remove(this.#state.subject("dead", token(consumer), "*"));
  }

  async park({ event, ...info }: DeadLetter): Promise<void> {
    const { headers, payload } = encodeMessage(event);
    const subject = this.#state.subject("dead", token(info.consumer), String(info.seq));
    await this.#state.put(subject, { headers: { ...headers, "ebb-dead": JSON.stringify(info) }, payload });
  }

  async parked(
    consumer: string,
    { after, limit }: { readonly after: number; readonly limit: number },
  ): Promise<readonly DeadLetter[]> {
    const subjects = await this.#state.subjects(this.#state.subject("dead", token(consumer), "*"));
    const wanted = subjects
      .map((subject) => ({ subject, seq: Number(subject.split(".").at(-1)) }))
      .filter(({ seq }) => seq > after)
      .sort((a, b) => a.seq - b.seq)
      .slice(0, limit);
    const entries = await Promise.all(wanted.map(({ subject }) => this.#state.get(subject)));
    return entries.flatMap((entry) => (entry ? [toLetter(entry)] : []));
  }

  async parkedCount(consumer: string): Promise<number> {
    return (await this.#state.subjects(this.#state.subject("dead", token(consumer), "*"))).length;
  }

  async unpark(consumer: string, seq: number): Promise<void> {
    await this.#state.remove(this.#state.subject("dead", token(consumer), String(seq)));
  }

  async putDocument(name: string, { text: words, data, expiresMs }: StoredDocument): Promise<void> {
    const headers = {
      "ebb-name": encodeURIComponent(name),
      "ebb-text": encodeURIComponent(words),
      "ebb-expires": String(expiresMs),
      ...(data === undefined ? { "ebb-nodata": "1" } : {}),
    };
    await this.#documents.put(this.#documents.subject(token(name)), { headers, payload: data ?? new Uint8Array(0) });
  }

  async getDocument(name: string): Promise<StoredDocument | undefined> {
    const entry = await this.#documents.get(this.#documents.subject(token(name)));
    const expiresMs = Number(entry?.headers["ebb-expires"]);
    if (!entry || expiresMs <= this.#deps.clock.now()) return undefined;
    return {
      text: decodeURIComponent(entry.headers["ebb-text"] ?? ""),
      data: entry.headers["ebb-nodata"] === undefined ? entry.payload : undefined,
      expiresMs,
    };
  }

  async deleteDocument(name: string): Promise<void> {
    await this.#documents.remove(this.#documents.subject(token(name)));
  }

  async flush(): Promise<void> {
    await this.#cursors.flush();
  }

  async close(): Promise<void> {
    if (this.#connection.isClosed()) return;
    await this.flush();
    this.#cursors.stopTimer();
    for (const stream of await Promise.allSettled(this.#streams.values()))
      if (stream.status === "fulfilled") stream.value.end();
    this.#publisher.close();
    await this.#connection.close();
  }
}

/** JetStream's code for a stream that is not there. */
const streamNotFound = 10_059;

/** Names of JetStream hold no dots, slashes or blanks; the description tells ours. */
const namesOf = (name: string): NatsStreamNames => ({
  name,
  stream: `EBB_S_${token(name)}`,
  subject: `ebb.events.${token(name)}`,
});

function toLetter({ headers, payload }: Entry): DeadLetter {
  const info = JSON.parse(headers["ebb-dead"] ?? "{}") as Omit<DeadLetter, "event">;
  const read = { keys: () => Object.keys(headers), get: (name: string) => headers[name] ?? "" };
  return { ...info, event: decodeMessage(read, payload) };
}
