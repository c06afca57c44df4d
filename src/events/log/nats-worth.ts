/** What it is worth when NATS says that it has an event. */
import type { StreamConfig } from "@nats-io/jetstream";
import type { Durability } from "./event-store.ts";

/** How often servers sync to disk. */
export type Syncing = "always" | "sometimes" | "unknown";

/**
 * As the servers' monitoring ports tell, for only they do: `sync_interval: always` is "always" where every one of them
 * says so. Rejects with the port that does not answer.
 */
export async function askSyncing(monitorUrls: readonly string[]): Promise<Syncing> {
  if (monitorUrls.length === 0) return "unknown";
  const told = await Promise.all(monitorUrls.map(syncsAlways));
  return told.every(Boolean) ? "always" : "sometimes";
}

async function syncsAlways(url: string): Promise<boolean> {
  try {
    const response = await fetch(new URL("/jsz?config=true", url), { signal: AbortSignal.timeout(5000) });
    const { config } = (await response.json()) as { readonly config?: { readonly sync_always?: boolean } };
    return config?.sync_always === true;
  } catch (cause) {
    throw new Error(`its monitoring port ${url} does not say how it keeps events; check monitor=`, { cause });
  }
}

/**
 * JetStream syncs to disk every two minutes unless told otherwise: what it acknowledged survives the death of the
 * server, and not a power loss. With several copies it survives the loss of a minority of servers, not a power loss of
 * all of them at once.
 */
export const durabilityBy = (syncing: Syncing, ephemeral: boolean): Durability =>
  ephemeral ? "none" : syncing === "always" ? "fsync" : "process";

const syncs: Readonly<Record<Syncing, string>> = {
  always: "synced before it is acknowledged",
  sometimes: "synced later: a power loss may take the last two minutes",
  unknown: "not known when it is synced (name the monitoring port): a power loss may take the last two minutes",
};

/** For people, such as `3 copies on disk, synced before it is acknowledged`. */
export function worthOf(
  { num_replicas: copies = 1, storage }: Pick<StreamConfig, "num_replicas" | "storage">,
  { syncing, ephemeral }: { readonly syncing: Syncing; readonly ephemeral: boolean },
): string {
  const many = copies === 1 ? "one copy" : `${copies} copies`;
  if (storage === "memory") return `${many} in memory: gone with ${copies === 1 ? "its server" : "their servers"}`;
  if (ephemeral) return `${many} in a place that goes with the server`;
  return `${many} on disk, ${syncs[syncing]}`;
}
