/** Changes of rows as events. */
import type { Pgoutput } from "pg-logical-replication";
import type { CloudEvent } from "../../../api/cloudevents/cloud-event.ts";
import { rowJson } from "./row-json.ts";

export const changeTypes = ["insert", "update", "delete", "truncate"] as const;
export type ChangeType = (typeof changeTypes)[number];

export const changeEventType = (operation: string): string => `dev.ebb.sources.postgres.${operation}`;

type Row = Readonly<Record<string, string | null | undefined>>;
type Change = Extract<Pgoutput.Message, { readonly tag: ChangeType }>;

export interface Transaction {
  /** Where it was committed: the same whenever it is read again. */
  readonly commitLsn: string;
  readonly timeMs: number;
  readonly xid: number;
  readonly source: string;
}

export const isChange = (message: Pgoutput.Message): message is Change =>
  (changeTypes as readonly string[]).includes(message.tag);

/** The events of a change; `place` counts the changes of its transaction. A truncation is one event per table. */
export function eventsOfChange(change: Change, transaction: Transaction, place: number): readonly CloudEvent[] {
  if (change.tag === "truncate")
    return change.relations.map((relation, at) =>
      event({ operation: "truncate", relation, place: `${place}.${at + 1}` }, transaction, []),
    );
  const { relation, tag } = change;
  const now = tag === "delete" ? undefined : (change.new as Row);
  const before = tag === "insert" ? undefined : ((change.old ?? change.key ?? undefined) as Row | undefined);
  const missing = now ? Object.keys(now).filter((name) => now[name] === undefined) : [];
  return [
    event({ operation: tag, relation, place: String(place), key: keyOf(relation, now ?? before) }, transaction, [
      ...(before ? [`"old":${rowJson(before)}`] : []),
      ...(now ? [`"new":${rowJson(now)}`] : []),
      // Large values that an update leaves alone do not come along without REPLICA IDENTITY FULL.
      ...(missing.length > 0 ? [`"unchanged":${JSON.stringify(missing)}`] : []),
    ]),
  ];
}

interface Facts {
  readonly operation: ChangeType;
  readonly relation: Pgoutput.MessageRelation;
  readonly place: string;
  readonly key?: string | undefined;
}

function event(
  { operation, relation: { schema, name }, place, key }: Facts,
  { commitLsn, timeMs, xid, source }: Transaction,
  members: readonly string[],
): CloudEvent {
  const facts = [`"operation":"${operation}"`, `"schema":${JSON.stringify(schema)}`, `"table":${JSON.stringify(name)}`];
  const table = `${schema}.${name}`;
  return {
    specversion: "1.0",
    id: `${commitLsn}/${place}`,
    source,
    type: changeEventType(operation),
    subject: table,
    time: new Date(timeMs).toISOString(),
    datacontenttype: "application/json",
    postgreslsn: commitLsn,
    postgresxid: String(xid),
    // A Trigger that keeps order by it keeps the changes of a row in order.
    partitionkey: key === undefined ? table : `${table}/${key}`,
    data: Buffer.from(`{${[...facts, ...members].join(",")}}`),
  };
}

/** The primary key's values; with REPLICA IDENTITY FULL every column counts as key, which names no row. */
function keyOf({ keyColumns, replicaIdentity }: Pgoutput.MessageRelation, row: Row | undefined): string | undefined {
  if (!row || keyColumns.length === 0 || replicaIdentity === "full") return undefined;
  return keyColumns.map((name) => row[name] ?? "null").join(",");
}
