/** What a Trigger has yet to deliver, in its status, so that `kubectl get triggers` shows who falls behind. */
import { isDeepStrictEqual } from "node:util";
import type { ConsumerState } from "../../api/eventing/engine.ts";
import { eventingKeys } from "../../api/eventing/keys.ts";
import { TriggerKind } from "../../api/eventing/kinds.ts";
import type { Trigger } from "../../api/eventing/types.gen.ts";
import { formatTime } from "../../api/meta/time.ts";
import type { ControllerSpec } from "../../client/controller.ts";
import { selfKey, watching } from "../../client/keys.ts";
import { ownFacts, whenChanged } from "../serving/when-changed.ts";
import type { EventingDeps } from "./deps.ts";

export type TriggerLagDeps = Pick<EventingDeps, "client" | "clock" | "informers" | "engine" | "recorder">;

const lookMs = 10_000;
/** Events younger than this are on their way: a busy Trigger that keeps up has nothing to tell. */
const behindMs = 5000;

/**
 * Runs wherever events are delivered: each process tells of the Triggers it delivers for, and leaves the others alone. A
 * Trigger that keeps up costs no write.
 */
export function triggerLagController(deps: TriggerLagDeps): ControllerSpec {
  const triggers = deps.informers.of(TriggerKind);
  /** Triggers that were warned, until they are out of danger. */
  const warned = new Set<string>();
  return {
    name: "eventing-trigger-lag",
    watches: [watching(TriggerKind, whenChanged(ownFacts, selfKey))],
    async reconcile(key) {
      const trigger = triggers.get(key);
      if (!trigger || trigger.metadata.deletionTimestamp) return void warned.delete(key);
      const { name, namespace = "" } = trigger.metadata;
      const state = deps.engine.consumerState(`trigger/${namespace}/${name}`);
      if (state?.atRisk !== true) warned.delete(key);
      else if (!warned.has(key)) {
        warned.add(key);
        warn(deps, trigger, state);
      }
      // Before its first status there is nothing to add to.
      if (state && trigger.status?.conditions) await tell(deps, trigger, state);
      return { requeueAfterMs: lookMs };
    },
  };
}

async function tell({ client, clock }: TriggerLagDeps, trigger: Trigger, state: ConsumerState): Promise<void> {
  const { name, namespace = "" } = trigger.metadata;
  const { [eventingKeys.lag]: lag, [eventingKeys.oldest]: oldest } = trigger.status?.annotations ?? {};
  const next = lagFacts(state, clock.now());
  if (isDeepStrictEqual({ lag, oldest }, { lag: next.lag, oldest: next.oldest })) return;
  const annotations = { [eventingKeys.lag]: next.lag ?? null, [eventingKeys.oldest]: next.oldest ?? null };
  const body = { status: { annotations } };
  await client.patch(TriggerKind, { namespace, name }, { type: "merge", body }, { subresource: "status" });
}

/** Both absent while it keeps up; `oldest` also where the oldest event's time is not at hand. */
export function lagFacts(
  { lag, oldestMs }: ConsumerState,
  nowMs: number,
): { readonly lag?: string; readonly oldest?: string } {
  if (lag === 0 || (oldestMs !== undefined && oldestMs < behindMs)) return {};
  return { lag: String(lag), ...(oldestMs === undefined ? {} : { oldest: formatTime(nowMs - oldestMs) }) };
}

function warn({ recorder }: TriggerLagDeps, object: Trigger, { lag, trouble }: ConsumerState): void {
  const why = trouble === undefined ? "" : `; delivery complains: ${trouble}`;
  const message = `${lag} events wait, and the Broker's retention will soon remove the oldest undelivered${why}. Raise ${eventingKeys.retentionAge}, -bytes or -count on the Broker, or deliver faster`;
  recorder.record({ kind: TriggerKind, object, type: "Warning", reason: "EventsAtRisk", message });
}
