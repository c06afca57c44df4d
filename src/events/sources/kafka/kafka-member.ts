/**
 * A member of a consumer group. It is given partitions, fetches and delivers them, and commits up to where all is
 * delivered. Before partitions may go to another member, what is under way is waited for and committed.
 */
import { Consumer, findErrorBy, type GroupAssignment } from "@platformatic/kafka";
import { sleep } from "../../../client/clock.ts";
import type { DeliveryOutcome, SourceContext } from "../source-reader.ts";
import { recordsOf, type FetchResponse } from "./fetched-records.ts";
import type { TopicRecord } from "./kafka-event.ts";
import { clientOptions, type KafkaSettings } from "./kafka-settings.ts";
import { PartitionReader, type FetchedRecord } from "./partition-reader.ts";

export interface MemberDeps {
  readonly context: SourceContext;
  readonly settings: KafkaSettings;
  deliver(record: TopicRecord, signal: AbortSignal): Promise<DeliveryOutcome>;
  failed(error: unknown): void;
}

type RawConsumer = Consumer<Buffer, Buffer, Buffer, Buffer>;

interface Assigned {
  readonly topic: string;
  readonly partition: number;
  readonly reader: PartitionReader<TopicRecord>;
  committed: bigint;
}

/** After so long without a sign of life a member's partitions go to others. */
const sessionMs = 15_000;
const heartbeatMs = 3000;
const rebalanceMs = 30_000;
/** How long deliveries under way hold up a rebalancing; less than what would end the session. */
const drainMs = 8000;
const commitMs = 200;
const fetchWaitMs = 1000;
const partitionBytes = 256 * 1024;
const fetchBytes = 4 * 1024 * 1024;
const closeMs = 5000;
/** How soon partitions that were added to a topic are noticed. */
const lookMs = 10_000;
/** Deliveries at once of a partition whose order does not matter. */
const unorderedWidth = 50;

const [latest, earliest] = [-1n, -2n];

export class KafkaMember {
  readonly #deps: MemberDeps;
  readonly #group: RawConsumer;
  /** Long polls have a connection of their own, so that heartbeats and commits never wait behind one. */
  readonly #fetcher: RawConsumer;
  readonly #partitions = new Map<string, Assigned>();
  readonly #fetching = new Set<number>();
  #assigning: Promise<void> = Promise.resolve();
  #committing: Promise<void> = Promise.resolve();
  #cancelCommit: (() => void) | undefined;
  #cancelLook: (() => void) | undefined;
  #partitionCount: number | undefined;
  #draining = false;
  #paused = false;
  #closed = false;

  /** `index` names the member among those of the source: a process that is given the source later takes its place. */
  constructor(index: number, deps: MemberDeps) {
    this.#deps = deps;
    const { settings, context } = deps;
    const options = {
      ...clientOptions(settings, `ebb-${context.namespace}-${context.name}`),
      groupId: settings.consumerGroup,
      sessionTimeout: sessionMs,
      heartbeatInterval: heartbeatMs,
      rebalanceTimeout: rebalanceMs,
      autocommit: false,
    };
    this.#group = new Consumer({
      ...options,
      groupInstanceId: `ebb-${context.uid}-${index}`,
      protocolsMetadata: () => this.#beforeJoin(),
    });
    this.#fetcher = new Consumer(options);
    for (const client of [this.#group, this.#fetcher]) {
      client.topics.trackAll(...settings.topics);
      client.on("error", (error: Error) => this.#fail(error));
    }
    this.#group.on("consumer:group:join", ({ assignments }) => this.#take(assignments ?? []));
    this.#group.on("consumer:heartbeat:stalled", ({ lastError }) =>
      this.#fail(lastError ?? new Error("the group's coordinator does not answer")),
    );
  }

  /** Joins the group; resolves when partitions are being read, none of them perhaps. */
  async open(): Promise<void> {
    this.#partitionCount = await this.#countPartitions().catch(() => undefined);
    await this.#group.joinGroup({});
    await this.#assigning;
    this.#lookLater();
  }

  /** As the brokers tell it now; the group's leader shares out by what was told last. */
  async #countPartitions(): Promise<number> {
    const { topics } = await this.#group.metadata({ topics: [...this.#deps.settings.topics], forceUpdate: true });
    return [...topics.values()].reduce((sum, { partitionsCount }) => sum + partitionsCount, 0);
  }

  #lookLater(): void {
    if (this.#closed) return;
    this.#cancelLook = this.#deps.context.clock.after(lookMs, () => {
      this.#joinIfGrown()
        .catch((err: unknown) => this.#deps.context.log.debug("partitions could not be counted", { err }))
        .then(() => this.#lookLater(), undefined);
    });
  }

  /** Added partitions are nobody's until the leader joins again; that of others shares out nothing anew. */
  async #joinIfGrown(): Promise<void> {
    const [before, now] = [this.#partitionCount, await this.#countPartitions()];
    this.#partitionCount = now;
    if (this.#closed || before === undefined || now <= before) return;
    await this.#group.joinGroup({});
  }

  get partitions(): number {
    return this.#partitions.size;
  }

  #fail(error: unknown): void {
    if (!this.#closed) this.#deps.failed(error);
  }

  /** The client asks for this before each joining. Its own failures must not start another. */
  async #beforeJoin(): Promise<Buffer> {
    if (!this.#draining && this.#partitions.size > 0 && !this.#closed) {
      this.#draining = true;
      this.#paused = true;
      const { clock } = this.#deps.context;
      const idle = Promise.all([...this.#partitions.values()].map(({ reader }) => reader.pause()));
      const limit = AbortSignal.timeout(2 * drainMs);
      await Promise.race([idle.then(() => this.#commit()), sleep(clock, drainMs, limit)]).catch(() => undefined);
      this.#draining = false;
    }
    return Buffer.alloc(0);
  }

  #take(assignments: readonly GroupAssignment[]): void {
    this.#assigning = this.#assigning
      .then(() => this.#assign(assignments))
      .catch((error: unknown) => this.#fail(error));
  }

  async #assign(assignments: readonly GroupAssignment[]): Promise<void> {
    if (this.#closed) return;
    const mine = new Set(assignments.flatMap(({ topic, partitions }) => partitions.map((one) => keyOf(topic, one))));
    for (const [key, { reader }] of this.#partitions)
      if (!mine.has(key)) {
        this.#partitions.delete(key);
        void reader.stop();
      }
    const wanted = assignments.filter(({ partitions }) => partitions.length > 0);
    if (wanted.length > 0) await this.#begin(wanted);
    this.#paused = false;
    for (const { reader } of this.#partitions.values()) reader.resume();
    this.#fetchMore();
  }

  async #begin(assignments: readonly GroupAssignment[]): Promise<void> {
    const committed = await this.#group.listCommittedOffsets({ topics: [...assignments] });
    const fresh: Assigned[] = [];
    for (const { topic, partitions } of assignments) {
      const offsets = committed.get(topic) ?? [];
      // A partition that was added to a topic that is read already is read from its beginning.
      const isKnownTopic = offsets.some((offset) => offset !== undefined && offset >= 0n);
      for (const partition of partitions) {
        const at = offsets[partition] ?? -1n;
        const known = this.#partitions.get(keyOf(topic, partition));
        // Somebody else read it meanwhile when more is committed than was done here.
        if (known && at <= known.reader.done) continue;
        if (known) void known.reader.stop();
        const from = at >= 0n ? at : await this.#firstOffset(topic, partition, isKnownTopic);
        const assigned = { topic, partition, reader: this.#readerOf(from), committed: at };
        this.#partitions.set(keyOf(topic, partition), assigned);
        fresh.push(assigned);
      }
    }
    // Where a new group begins is kept at once: what comes while nobody reads is not skipped.
    if (fresh.some(({ committed: at }) => at < 0n)) await this.#commit();
  }

  async #firstOffset(topic: string, partition: number, isKnownTopic: boolean): Promise<bigint> {
    const isEarliest = isKnownTopic || this.#deps.settings.initialOffset === "earliest";
    const asked = { topics: [topic], partitions: { [topic]: [partition] }, timestamp: isEarliest ? earliest : latest };
    const offset = (await this.#group.listOffsets(asked)).get(topic)?.[partition];
    if (offset === undefined || offset < 0n) throw new Error(`${topic} tells no offset of its partition ${partition}`);
    return offset;
  }

  #readerOf(from: bigint): PartitionReader<TopicRecord> {
    const isOrdered = this.#deps.settings.ordering !== "unordered";
    const reader = new PartitionReader<TopicRecord>({
      from,
      width: isOrdered ? 1 : unorderedWidth,
      deliver: ({ record }, signal) => this.#deps.deliver(record, signal),
      moved: () => {
        this.#cancelCommit ??= this.#deps.context.clock.after(commitMs, () => void this.#commit());
        if (reader.wantsMore) this.#fetchMore();
      },
    });
    if (this.#paused) void reader.pause();
    return reader;
  }

  /** Asks each broker for what there is room for, unless it is being asked. */
  #fetchMore(): void {
    if (this.#closed || this.#paused) return;
    void this.#fetchAll().catch((error: unknown) => this.#fail(error));
  }

  async #fetchAll(): Promise<void> {
    const hungry = [...this.#partitions.values()].filter(({ reader }) => reader.wantsMore);
    if (hungry.length === 0) return;
    const metadata = await this.#fetcher.metadata({ topics: [...this.#deps.settings.topics] });
    const byNode = new Map<number, Assigned[]>();
    for (const one of hungry) {
      const leader = metadata.topics.get(one.topic)?.partitions[one.partition]?.leader;
      if (leader === undefined || this.#fetching.has(leader)) continue;
      byNode.set(leader, [...(byNode.get(leader) ?? []), one]);
    }
    const ids = new Map([...metadata.topics].map(([topic, { id }]) => [id, topic]));
    await Promise.all([...byNode].map(([node, ones]) => this.#fetch(node, ones, ids)));
  }

  async #fetch(node: number, ones: readonly Assigned[], ids: ReadonlyMap<string, string>): Promise<void> {
    if (this.#closed || this.#fetching.has(node)) return;
    this.#fetching.add(node);
    const idOf = new Map([...ids].map(([id, topic]) => [topic, id]));
    const asked = ones.map((one) => ({ one, from: one.reader.next }));
    try {
      const topics = [...Map.groupBy(asked, ({ one }) => one.topic)].map(([topic, parts]) => ({
        topicId: idOf.get(topic) ?? "",
        partitions: parts.map(({ one, from }) => ({
          partition: one.partition,
          fetchOffset: from,
          partitionMaxBytes: partitionBytes,
          currentLeaderEpoch: -1,
          lastFetchedEpoch: -1,
        })),
      }));
      const limits = { maxWaitTime: fetchWaitMs, minBytes: 1, maxBytes: fetchBytes };
      const response = await this.#fetcher.fetch({ node, topics, ...limits });
      this.#deps.context.report({ connected: true });
      this.#offer(response, asked, ids);
    } catch (error) {
      if (!(await this.#comeBack(error, asked))) throw error;
    } finally {
      this.#fetching.delete(node);
    }
    this.#fetchMore();
  }

  #offer(
    response: FetchResponse,
    asked: readonly { readonly one: Assigned; readonly from: bigint }[],
    ids: ReadonlyMap<string, string>,
  ): void {
    for (const { topicId, partitions } of response.responses) {
      const topic = ids.get(topicId) ?? "";
      for (const part of partitions) {
        const { one, from } =
          asked.find((each) => each.one.topic === topic && each.one.partition === part.partitionIndex) ?? {};
        // It went to another member, or somewhere else, while it was asked for.
        if (!one || from === undefined || from !== one.reader.next || !this.#has(one)) continue;
        const { records, next } = recordsOf(topic, part, from);
        if (next === from) continue;
        const fetched: FetchedRecord<TopicRecord>[] = records.map((record) => ({ offset: record.offset, record }));
        one.reader.offer(fetched, next);
      }
    }
  }

  #has(one: Assigned): boolean {
    return this.#partitions.get(keyOf(one.topic, one.partition)) === one;
  }

  /** Records that were to be read may have been removed by the topic's retention: it goes on with the first that is left. */
  async #comeBack(error: unknown, asked: readonly { readonly one: Assigned }[]): Promise<boolean> {
    if (!(error instanceof Error) || !findErrorBy(error, "apiId", "OFFSET_OUT_OF_RANGE")) return false;
    for (const { one } of asked) {
      if (!this.#has(one)) continue;
      const first = await this.#firstOffset(one.topic, one.partition, true);
      if (first <= one.reader.next) continue;
      const lost = { topic: one.topic, partition: one.partition, from: String(one.reader.next), to: String(first) };
      this.#deps.context.log.warn("Kafka removed records before they were read", lost);
      void one.reader.stop();
      this.#partitions.set(keyOf(one.topic, one.partition), { ...one, reader: this.#readerOf(first) });
    }
    return true;
  }

  /** One commit at a time; neither rejects nor goes beyond what is delivered. */
  #commit(): Promise<void> {
    this.#cancelCommit?.();
    this.#cancelCommit = undefined;
    this.#committing = this.#committing.then(async () => {
      const moved = [...this.#partitions.values()].filter(({ reader, committed }) => reader.done > committed);
      if (moved.length === 0) return;
      const sent = moved.map((one) => ({ one, offset: one.reader.done }));
      try {
        await this.#group.commit({
          offsets: sent.map(({ one: { topic, partition }, offset }) => ({ topic, partition, offset, leaderEpoch: -1 })),
        });
        for (const { one, offset } of sent) one.committed = offset;
      } catch (error) {
        this.#deps.context.log.warn("offsets could not be committed yet", { err: error });
        if (!this.#closed)
          this.#cancelCommit ??= this.#deps.context.clock.after(10 * commitMs, () => void this.#commit());
      }
    });
    return this.#committing;
  }

  /** Waits for what is under way, commits it and leaves the group, if the brokers answer in time. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelLook?.();
    await Promise.all([...this.#partitions.values()].map(({ reader }) => reader.stop()));
    const { clock } = this.#deps.context;
    const limit = AbortSignal.timeout(2 * closeMs);
    const gone = this.#commit().then(() => this.#group.close());
    await Promise.race([gone, sleep(clock, closeMs, limit)]).catch(() => undefined);
    this.#cancelCommit?.();
    await Promise.allSettled([Promise.race([this.#fetcher.close(), sleep(clock, closeMs, limit)])]);
  }
}

const keyOf = (topic: string, partition: number): string => `${topic}:${partition}`;
