/** Publication and replication slot of a source: found or made, watched, removed. */
import type { Client } from "pg";
import type { PostgresReplication } from "../../../api/sources/types-stores.gen.ts";
import { changeTypes } from "./change-event.ts";
import { quoted, quotedTable } from "./postgres-connection.ts";

export interface Slot {
  readonly slot: string;
  readonly publication: string;
}

interface Wanted {
  readonly replication: PostgresReplication;
  readonly uid: string;
}

const ownName = (uid: string): string => `ebb_${uid.replaceAll("-", "_").toLowerCase()}`;

/** Finds or makes both. Rejects with what PostgreSQL lacks and how to mend it. */
export async function bringSlot(client: Client, { replication, uid }: Wanted): Promise<Slot> {
  const { tables = [], operations = [] } = replication;
  const publication = replication.publication || ownName(uid);
  const slot = replication.slot || ownName(uid);
  await bringPublication(client, { publication, tables, operations, isOwn: !replication.publication });
  const { rows } = await client.query<{ plugin: string; wal_status: string | null }>(
    "SELECT plugin, to_jsonb(s)->>'wal_status' AS wal_status FROM pg_replication_slots s WHERE slot_name = $1",
    [slot],
  );
  const [known] = rows;
  if (known && known.plugin !== "pgoutput")
    throw new Error(`the replication slot "${slot}" is of ${known.plugin || "a physical standby"}, not of pgoutput`);
  if (known?.wal_status === "lost")
    throw new Error(
      `the replication slot "${slot}" was given up by PostgreSQL (max_slot_wal_keep_size): changes since then are lost. Drop it with SELECT pg_drop_replication_slot('${slot}') to go on from now`,
    );
  if (!known) await makeSlot(client, slot);
  return { slot, publication };
}

async function makeSlot(client: Client, slot: string): Promise<void> {
  try {
    await client.query("SELECT pg_create_logical_replication_slot($1, 'pgoutput')", [slot]);
  } catch (error) {
    const { message = "", code = "" } = error as { readonly message?: string; readonly code?: string };
    const advice =
      code === "55000"
        ? "set wal_level = logical and restart PostgreSQL"
        : code === "42501"
          ? "ALTER ROLE … REPLICATION for the user of the source"
          : code === "53400"
            ? "raise max_replication_slots, or drop slots that nobody reads"
            : "check the server's log";
    throw new Error(`the replication slot "${slot}" cannot be made: ${message}; ${advice}`, { cause: error });
  }
}

interface Publication {
  readonly publication: string;
  readonly tables: readonly string[];
  readonly operations: readonly string[];
  readonly isOwn: boolean;
}

async function bringPublication(
  client: Client,
  { publication, tables, operations, isOwn }: Publication,
): Promise<void> {
  const { rows } = await client.query<{ puballtables: boolean }>(
    "SELECT puballtables FROM pg_publication WHERE pubname = $1",
    [publication],
  );
  const [known] = rows;
  // One that was given is its owner's to change.
  if (known && !isOwn) return;
  if (!known && tables.length === 0)
    throw new Error(`there is no publication "${publication}": create it, or name the tables in spec.replication`);
  const wanted = operations.length === 0 ? changeTypes : operations;
  const options = `publish = '${wanted.join(", ")}'`;
  const isAll = tables[0] === "*";
  const which = isAll ? "ALL TABLES" : `TABLE ${tables.map(quotedTable).join(", ")}`;
  const name = quoted(publication);
  try {
    if (known && known.puballtables !== isAll) await client.query(`DROP PUBLICATION ${name}`);
    if (known && known.puballtables === isAll) {
      if (!isAll) await client.query(`ALTER PUBLICATION ${name} SET ${which}`);
      await client.query(`ALTER PUBLICATION ${name} SET (${options})`);
    } else await client.query(`CREATE PUBLICATION ${name} FOR ${which} WITH (${options})`);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(
      `the publication "${publication}" cannot be made: ${why}; let the tables' owner make one and name it in spec.replication.publication, or correct spec.replication.tables`,
      { cause: error },
    );
  }
}

/** Removes what has the source's own name; what was given a name is left, for whoever gave it. */
export async function removeSlot(client: Client, { replication, uid }: Wanted): Promise<void> {
  const own = ownName(uid);
  if (!replication.slot)
    await client.query("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1", [
      own,
    ]);
  if (!replication.publication) await client.query(`DROP PUBLICATION IF EXISTS ${quoted(own)}`);
}

/** The same for somebody with psql; undefined where all was given a name. A slot that nobody reads fills the disk. */
export function removalOf({ replication, uid }: Wanted): string | undefined {
  const own = ownName(uid);
  const statements = [
    ...(replication.slot ? [] : [`SELECT pg_drop_replication_slot('${own}')`]),
    ...(replication.publication ? [] : [`DROP PUBLICATION IF EXISTS ${own}`]),
  ];
  return statements.length === 0 ? undefined : statements.join("; ");
}

/** How many bytes of the log are kept for the slot: what the source is behind. */
export async function lagOf(client: Client, slot: string): Promise<Readonly<Record<string, string>>> {
  const { rows } = await client.query<{ lag: string | null; confirmed: string | null }>(
    "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn)::text AS lag, confirmed_flush_lsn::text AS confirmed FROM pg_replication_slots WHERE slot_name = $1",
    [slot],
  );
  const [found] = rows;
  return found ? { "postgres.lagBytes": found.lag ?? "", "postgres.confirmedLsn": found.confirmed ?? "" } : {};
}
