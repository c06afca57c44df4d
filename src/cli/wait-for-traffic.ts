import { formatDuration } from "../api/meta/duration.ts";
import { KnativeServiceKind } from "../api/serving/kinds.ts";
import type { Service } from "../api/serving/types.gen.ts";
import type { HttpClient } from "../client/http-client.ts";
import { CommandError } from "./command.ts";
import type { Waiting } from "./wait-for-ready.ts";

/**
 * Watches a Service until requests go where its newest generation says, whether or not its newest revision is ready.
 * Throws a CommandError with the Route's words when they cannot, or not within `waitMs`.
 */
export async function waitForTraffic(client: HttpClient, service: Service, waiting: Waiting): Promise<Service> {
  const { namespace = "default", name } = service.metadata;
  const signal = AbortSignal.any([waiting.signal, AbortSignal.timeout(waiting.waitMs)]);
  const fieldSelector = `metadata.name=${name}`;
  const seen = { words: "" };
  while (!signal.aborted) {
    try {
      for await (const event of client.watch(KnativeServiceKind, { namespace, fieldSelector, signal })) {
        if (event.type === "DELETED") throw new CommandError(`service ${namespace}/${name} was deleted meanwhile`);
        if (event.type !== "BOOKMARK" && isRouted(event.object, seen)) return event.object;
      }
    } catch (error) {
      if (error instanceof CommandError || !signal.aborted) throw error;
    }
  }
  if (waiting.signal.aborted) throw waiting.signal.reason;
  const after = formatDuration(waiting.waitMs);
  throw new CommandError(`traffic of ${namespace}/${name} has not moved after ${after}: ${seen.words}`);
}

function isRouted({ metadata, status }: Service, seen: { words: string }): boolean {
  const routes = status?.conditions?.find((c) => c.type === "RoutesReady");
  seen.words = routes?.message ?? routes?.reason ?? "";
  if (status?.observedGeneration !== metadata.generation) return false;
  if (routes?.status === "False")
    throw new CommandError(`traffic of ${metadata.namespace}/${metadata.name} stays as it was: ${seen.words}`);
  return routes?.status === "True";
}
