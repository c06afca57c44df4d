/** The event log in NATS JetStream, by a URL: `nats://user:password@host:4222?replicas=3&monitor=http://host:8222`. */
import type { Clock } from "../client/clock.ts";
import type { JetStreamLog, JetStreamOptions } from "../events/log/jetstream-store.ts";
import type { Logger } from "../telemetry/logger.ts";

/** Throws with what such a URL looks like. */
export function parseNatsUrl(text: string): JetStreamOptions {
  const url = URL.parse(text);
  if (!url || (url.protocol !== "nats:" && url.protocol !== "tls:"))
    throw new Error(`--events must be a URL like nats://127.0.0.1:4222, not "${text}"`);
  const [replicas, monitorUrl] = [Number(url.searchParams.get("replicas") ?? 1), url.searchParams.get("monitor")];
  if (replicas !== 1 && replicas !== 3 && replicas !== 5)
    throw new Error(`replicas of --events must be 1, 3 or 5, not "${url.searchParams.get("replicas")}"`);
  const ephemeral = url.searchParams.get("ephemeral") === "true";
  url.search = "";
  return {
    servers: url.href,
    replicas,
    ...(monitorUrl === null ? {} : { monitorUrl }),
    ...(ephemeral ? { ephemeral } : {}),
  };
}

/** The client of NATS is loaded only where there is one. Rejects with what to check. */
export async function openNatsLog(
  options: JetStreamOptions,
  deps: { readonly clock: Clock; readonly log: Logger },
): Promise<JetStreamLog> {
  const host = URL.parse(options.servers)?.host ?? options.servers;
  const { openJetStreamStore } = await import("../events/log/jetstream-store.ts");
  try {
    const store = await openJetStreamStore(options, deps);
    if (store.durability === "process")
      deps.log.warn(
        "the NATS server is not known to sync to disk before it acknowledges: a power loss may lose the last two minutes of events. Set sync_interval: always, and say where it tells so with ?monitor=http://host:8222",
        { server: host },
      );
    return store;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`cannot keep events in NATS at ${host}: ${why}; it must run with JetStream (nats-server -js)`, {
      cause: error,
    });
  }
}
