/** Sends a source's event until the sink takes it or the attempts are used up. */
import type { CloudEvent } from "../../api/cloudevents/cloud-event.ts";
import type { EventTarget } from "../../api/eventing/engine.ts";
import type { CloudEventOverrides } from "../../api/eventing/types-duck.gen.ts";
import type { Kind } from "../../api/meta/kind.ts";
import type { KubeObject } from "../../api/meta/object.ts";
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

interface Delivery {
  readonly target: EventTarget;
  readonly event: CloudEvent;
  readonly signal: AbortSignal;
}

/** Whose event it is, and what it is about, in the words of who reads its Kubernetes Events. */
export interface SourceEvent extends Delivery {
  readonly kind: Kind;
  readonly source: KubeObject;
  readonly what: string;
}

/** Sends the event; a Warning on the source tells that it was given up. Rejects when the signal ends it. */
export async function deliverSourceEvent(
  deps: Pick<EventingDeps, "send" | "clock" | "recorder">,
  { kind, source, what, ...delivery }: SourceEvent,
): Promise<void> {
  const reason = await deliver(deps, delivery);
  if (reason === undefined) return;
  const message = `${what} was not taken by ${delivery.target.url}: ${reason}`;
  deps.recorder.record({ kind, object: source, type: "Warning", reason: "EventNotTaken", message });
}

/** Resolves to why the event was given up; undefined when the sink took it. Rejects when the signal ends it. */
async function deliver(
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
