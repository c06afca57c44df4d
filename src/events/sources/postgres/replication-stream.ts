/**
 * The stream of changes of one slot (PostgreSQL, "Streaming Replication Protocol" and "Logical Replication Message
 * Formats"). What is told to be flushed is the end of the last transaction all of whose events were delivered, in the
 * order of commits: the slot keeps everything behind it.
 */
import type { Client } from "pg";
import { PgoutputPlugin, type Pgoutput } from "pg-logical-replication";
import { InFlight } from "../in-flight.ts";
import type { SourceContext } from "../source-reader.ts";
import { untilTaken } from "../until-taken.ts";
import { eventsOfChange, isChange, type Transaction } from "./change-event.ts";
import { quoted, wireOf } from "./postgres-connection.ts";
import type { Slot } from "./replication-slot.ts";
import { jsonOf } from "./row-json.ts";

const xLogData = 0x77;
const keepAlive = 0x6b;
const standbyStatus = 0x72;
/** Well within wal_sender_timeout, which is a minute unless told otherwise. */
const statusMs = 5000;
/** Changes that wait in memory before PostgreSQL is held back. */
const mostWaiting = 256;
/** Milliseconds from 1970 to 2000, where PostgreSQL's time begins. */
const epochMs = 946_684_800_000;

/** A transaction that is being delivered. `endLsn` is known when it was read to its end. */
interface Open {
  readonly facts: Transaction;
  changes: number;
  waiting: number;
  endLsn: bigint | undefined;
}

export class ReplicationStream {
  readonly #client: Client;
  readonly #context: SourceContext;
  readonly #plugin: PgoutputPlugin;
  readonly #inFlight: InFlight;
  /** In the order of commits. */
  readonly #open: Open[] = [];
  #current: Open | undefined;
  #confirmed = 0n;
  /** All of the log up to here was read, and holds nothing that is not in `#open`. */
  #read = 0n;
  #waiting = 0;
  #held = false;
  #cancel: (() => void) | undefined;

  constructor(
    client: Client,
    context: SourceContext,
    options: { readonly publication: string; readonly most: number },
  ) {
    this.#client = client;
    this.#context = context;
    this.#plugin = new PgoutputPlugin({ protoVersion: 1, publicationNames: [options.publication] });
    this.#inFlight = new InFlight(options.most);
  }

  /** Begins where the slot is; resolves when PostgreSQL sends. */
  async start({ slot, publication }: Slot): Promise<void> {
    const wire = wireOf(this.#client);
    const started = Promise.withResolvers<void>();
    wire.once("replicationStart", started.resolve);
    wire.on("copyData", ({ chunk }) => this.#take(chunk));
    const names = quoted(publication).replaceAll("'", "''");
    const ended = this.#client.query(
      `START_REPLICATION SLOT ${quoted(slot)} LOGICAL 0/0 (proto_version '1', publication_names '${names}')`,
    );
    ended.then(
      () => this.#context.failed(new Error("PostgreSQL ended the replication")),
      (error: unknown) => {
        started.reject(error);
        this.#context.failed(error);
      },
    );
    await started.promise;
    this.#tellLater();
  }

  #tellLater(): void {
    this.#cancel = this.#context.clock.after(statusMs, () => {
      this.#tell();
      this.#tellLater();
    });
  }

  #take(chunk: Buffer): void {
    try {
      if (chunk[0] === xLogData) this.#message(this.#plugin.parse(chunk.subarray(25)));
      if (chunk[0] !== keepAlive) return;
      this.#read = chunk.readBigUInt64BE(1);
      if (this.#open.length === 0) this.#confirmed = max(this.#confirmed, this.#read);
      if (chunk[17] === 1) this.#tell();
    } catch (error) {
      this.#context.failed(new Error("what PostgreSQL sent is not understood", { cause: error }));
    }
  }

  #message(message: Pgoutput.Message): void {
    if (message.tag === "relation")
      // Values as JSON: what the library makes of them would lose digits and time zones.
      for (const column of message.columns) column.parser = (text: string) => jsonOf(column.typeOid, text);
    else if (message.tag === "begin") this.#begin(message);
    else if (message.tag === "commit") this.#commit(message);
    else if (isChange(message) && this.#current) this.#change(message, this.#current);
  }

  #begin({ commitLsn, commitTime, xid }: Pgoutput.MessageBegin): void {
    const timeMs = Number(BigInt(String(commitTime)) / 1000n);
    const facts = { commitLsn: shortLsn(commitLsn ?? "0/0"), timeMs, xid: xid >>> 0, source: this.#context.sourceOf() };
    this.#current = { facts, changes: 0, waiting: 0, endLsn: undefined };
    this.#open.push(this.#current);
  }

  #commit({ commitEndLsn }: Pgoutput.MessageCommit): void {
    const ending = this.#current;
    this.#current = undefined;
    if (!ending) return;
    ending.endLsn = lsnOf(commitEndLsn ?? "0/0");
    this.#settle();
  }

  #change(message: Parameters<typeof eventsOfChange>[0], transaction: Open): void {
    transaction.changes += 1;
    for (const event of eventsOfChange(message, transaction.facts, transaction.changes)) {
      transaction.waiting += 1;
      this.#waiting += 1;
      void this.#inFlight.run(async () => {
        const taken = !this.#context.signal.aborted && (await untilTaken(this.#context, event));
        this.#waiting -= 1;
        // Given back: the slot stays before this transaction.
        if (taken) transaction.waiting -= 1;
        this.#settle();
        this.#holdOrGo();
      });
    }
    this.#holdOrGo();
  }

  #holdOrGo(): void {
    const isFull = this.#waiting >= mostWaiting;
    if (isFull === this.#held || (this.#held && this.#waiting > mostWaiting / 2)) return;
    this.#held = isFull;
    const { stream } = wireOf(this.#client);
    if (isFull) stream.pause();
    else stream.resume();
  }

  /** Confirms transactions from the front that are read and delivered. */
  #settle(): void {
    let moved = false;
    for (let first = this.#open[0]; first?.endLsn !== undefined && first.waiting === 0; first = this.#open[0]) {
      this.#confirmed = max(this.#confirmed, first.endLsn);
      this.#open.shift();
      moved = true;
    }
    if (moved && this.#open.length === 0) this.#tell();
  }

  #tell(): void {
    const status = Buffer.alloc(34);
    status[0] = standbyStatus;
    for (const at of [1, 9, 17]) status.writeBigUInt64BE(this.#confirmed, at);
    status.writeBigInt64BE(BigInt(this.#context.clock.now() - epochMs) * 1000n, 25);
    wireOf(this.#client).sendCopyFromChunk(status);
  }

  /** Waits for what is under way, and tells the server of it. */
  async close(): Promise<void> {
    await this.#inFlight.idle();
    this.#cancel?.();
    this.#tell();
  }
}

const max = (a: bigint, b: bigint): bigint => (a > b ? a : b);

/** `0/16B3748` as the number it is. */
function lsnOf(text: string): bigint {
  const [high = "0", low = "0"] = text.split("/");
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`);
}

/** As PostgreSQL prints it. */
function shortLsn(text: string): string {
  const lsn = lsnOf(text);
  return `${(lsn >> 32n).toString(16)}/${(lsn & 0xffff_ffffn).toString(16)}`.toUpperCase();
}
