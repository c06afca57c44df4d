/** Sends a source's event until the sink takes it or the attempts are used up. */
import type { CloudEvent } from "../../api/cloudevents/cloud-event.ts";
import type { EventTarget } from "../../api/eventing/engine.ts";
import type { CloudEventOverrides } from "../../api/eventing/types-duck.gen.ts";
import { sleep } from "../../client/clock.ts";
import type { EventingDeps } from "./deps.ts";

/** Attempts after the first, and the first wait between them, which doubles. */
const retries = 5;
const firstWaitMs = 50;

/** What the source adds to every event. */
export const overridden = (event: CloudEvent, overrides: CloudEventOverrides | undefined): CloudEvent => ({
  ...event,
  ...overrides?.extensions,
});

export interface Delivery {
  readonly target: EventTarget;
  readonly event: CloudEvent;
  readonly signal: AbortSignal;
}

/** Resolves to why the event was given up; undefined when the sink took it. Rejects when the signal ends it. */
export async function deliverSourceEvent(
  { send, clock }: Pick<EventingDeps, "send" | "clock">,
  { target, event, signal }: Delivery,
): Promise<string | undefined> {
  for (let attempt = 0; ; attempt += 1) {
    signal.throwIfAborted();
    try {
      await send(target, event);
      return undefined;
    } catch (error) {
      if (attempt === retries) return error instanceof Error ? error.message : String(error);
    }
    await sleep(clock, firstWaitMs * 2 ** attempt, signal);
  }
}
