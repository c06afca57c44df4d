import { KnativeServiceKind } from "../api/serving/kinds.ts";
import type { Condition, Service } from "../api/serving/types.gen.ts";
import type { Client } from "../client/client.ts";
import { CommandError } from "./command.ts";

/**
 * Watches a Service until it is ready for its newest generation, telling each new reason on the way. Throws a
 * CommandError with the failing condition's message when it turns out not to become ready.
 */
export async function waitForReady(
  client: Client,
  service: Service,
  signal: AbortSignal,
  tell: (line: string) => void,
): Promise<Service> {
  let told = "";
  const { namespace = "default", name } = service.metadata;
  const fieldSelector = `metadata.name=${name}`;
  while (!signal.aborted) {
    for await (const event of client.watch(KnativeServiceKind, { namespace, fieldSelector, signal })) {
      if (event.type === "BOOKMARK") continue;
      if (event.type === "DELETED") throw new CommandError(`service ${namespace}/${name} was deleted while it started`);
      const now = event.object;
      if (now.status?.observedGeneration !== now.metadata.generation) continue;
      const ready = now.status?.conditions?.find((c) => c.type === "Ready");
      if (ready?.status === "True") return now;
      if (ready?.status === "False")
        throw new CommandError(`${namespace}/${name} is not ready: ${words(ready) || "no reason given"}`);
      const waiting = ready ? words(ready) : "";
      if (waiting !== "" && waiting !== told) tell(`waiting: ${waiting}`);
      told = waiting;
    }
  }
  throw signal.reason;
}

const words = (condition: Condition): string => condition.message ?? condition.reason ?? "";
