/** What the leader and routers tell each other of warm pods, over the load link. */
import type { InstanceEvent, StartFailure } from "../router/instance.ts";

/**
 * To routers: instances that serve before the API says so, and functions that do not load. To a new leader: instances
 * that a router was told of and that the API still does not know.
 */
export const warmTopics = { instance: "warm-instance", failure: "warm-failure", known: "warm-known" } as const;

type Fields = Readonly<Record<string, unknown>>;

/** Undefined for what this version does not understand. */
export function parseWarmInstance(body: unknown): InstanceEvent | undefined {
  if (!isRecord(body)) return undefined;
  const { type, revision, id, address, protocol } = body;
  if (type !== "ready" && type !== "draining" && type !== "gone") return undefined;
  if (typeof revision !== "string" || typeof id !== "string" || id === "" || protocol !== "http1") return undefined;
  if (!isRecord(address) || typeof address["host"] !== "string" || typeof address["port"] !== "number")
    return undefined;
  return { type, revision, id, address: { host: address["host"], port: address["port"] }, protocol };
}

export function parseWarmFailure(body: unknown): StartFailure | undefined {
  if (!isRecord(body) || typeof body["revision"] !== "string") return undefined;
  const { revision, reason } = body;
  return { revision, reason: typeof reason === "string" ? reason : undefined };
}

const isRecord = (value: unknown): value is Fields => typeof value === "object" && value !== null;
