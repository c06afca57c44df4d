import { TriggerKind } from "../api/eventing/kinds.ts";
import type { Client } from "../client/client.ts";
import type { EventRecorder } from "../client/event-recorder.ts";
import type { EventLoop } from "../events/event-engine.ts";

/** Tells the Trigger's owner, naming those between which the event went round. Never rejects. */
export async function tellLoop(
  { client, recorder }: { readonly client: Pick<Client, "get">; readonly recorder: Pick<EventRecorder, "record"> },
  { event, from, to }: EventLoop,
): Promise<void> {
  const [kind, namespace = "", name = ""] = from.split("/");
  if (kind !== "trigger") return;
  try {
    const object = await client.get(TriggerKind, { namespace, name });
    const next = to.map((key) => key.split("/").slice(1).join("/")).join(", ");
    const message = `an event went round until its hops were used up, and was dropped: the answer of ${namespace}/${name}, of type ${event.attributes["type"]}, goes to ${next === "" ? "nobody" : next}`;
    recorder.record({ kind: TriggerKind, object, type: "Warning", reason: "EventLoop", message });
  } catch {
    // Deleted meanwhile: there is nobody to tell, and the log has it.
  }
}
