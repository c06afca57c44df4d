/** What is to be delivered of a partition that was fetched. */
import type { Consumer, RecordsBatch } from "@platformatic/kafka";
import type { TopicRecord } from "./kafka-event.ts";

export type FetchResponse = Awaited<ReturnType<Consumer["fetch"]>>;
type FetchedPartition = FetchResponse["responses"][number]["partitions"][number];

const isTransactional = 0x10;
const isControl = 0x20;

/**
 * The records from `from` on, without those of transactions that were given up, and the offset behind all of them. Of a
 * producer named in `abortedTransactions` everything from the first offset named there up to its next marker counts for
 * nothing (Kafka's fetch protocol, READ_COMMITTED).
 */
export function recordsOf(
  topic: string,
  { partitionIndex, records, abortedTransactions }: FetchedPartition,
  from: bigint,
): { readonly records: readonly TopicRecord[]; readonly next: bigint } {
  const wanted: TopicRecord[] = [];
  const aborted = [...(abortedTransactions ?? [])].sort((a, b) => (a.firstOffset < b.firstOffset ? -1 : 1));
  const givenUp = new Set<bigint>();
  let next = from;
  for (const batch of records ?? []) {
    const last = batch.firstOffset + BigInt(batch.lastOffsetDelta);
    while (aborted[0] !== undefined && aborted[0].firstOffset <= last) givenUp.add(aborted.shift()?.producerId ?? -1n);
    if (last + 1n > next) next = last + 1n;
    if (batch.attributes & isControl) givenUp.delete(batch.producerId);
    else if (!(batch.attributes & isTransactional && givenUp.has(batch.producerId)))
      wanted.push(...recordsOfBatch({ topic, partition: partitionIndex }, batch, from));
  }
  return { records: wanted, next };
}

function* recordsOfBatch(
  place: { readonly topic: string; readonly partition: number },
  batch: RecordsBatch,
  from: bigint,
): Generator<TopicRecord> {
  for (const { offsetDelta, timestampDelta, key, value, headers } of batch.records) {
    const offset = batch.firstOffset + BigInt(offsetDelta);
    // A batch is sent whole, also where its beginning is not wanted.
    if (offset < from) continue;
    yield { ...place, offset, timestampMs: Number(batch.firstTimestamp + timestampDelta), key, value, headers };
  }
}
