import { StoreFailure } from "./event-store.ts";

/** JetStream's codes for no room: of the account, resources, memory, storage, of the disk, of the stream. */
const full: ReadonlySet<number> = new Set([10_002, 10_023, 10_028, 10_047, 10_077, 10_122]);

/** Why JetStream did not take something, by its kind. */
export function storeFailure(error: unknown): StoreFailure {
  if (error instanceof StoreFailure) return error;
  const { code, message = "" } = (error ?? {}) as { readonly code?: unknown; readonly message?: string };
  return typeof code === "number" && full.has(code)
    ? new StoreFailure("full", `NATS has no room: nothing was stored (${message})`, { cause: error })
    : new StoreFailure("unavailable", `NATS did not store it: ${message}; send again`, { cause: error });
}
