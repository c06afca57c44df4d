import type { CloudEvent } from "../../api/cloudevents/cloud-event.ts";
import type { SourceContext } from "./source-reader.ts";

/**
 * Delivers an event that is nobody else's until somebody has it. False when the source was closed before: then it is
 * given back.
 */
export async function untilTaken(context: SourceContext, event: CloudEvent): Promise<boolean> {
  for (;;) {
    if ((await context.deliver(event)) === "delivered") return true;
    if (context.signal.aborted) return false;
  }
}
