import type { Pod } from "../../api/core/types.gen.ts";
import { badRequest, failure, internalError, isApiError } from "../../api/meta/errors.ts";
import { matchesLabelSelector } from "../../api/meta/label-selector.ts";
import { formatTime } from "../../api/meta/time.ts";
import type { DeleteOptions } from "../../api/meta/types.gen.ts";
import type { PodDisruptionBudget } from "../../api/policy/types.gen.ts";
import { isObject } from "../schema/json-value.ts";
import type { Entry } from "../storage/entry.ts";
import { remove } from "./delete.ts";
import { copyJson } from "./json.ts";
import { entryOf, type Registry } from "./registry.ts";
import type { Caller, Incoming, Target } from "./request.ts";
import { writeOver } from "./update.ts";

const budgets = "policy/poddisruptionbudgets";

/** Deletes a pod if the disruption budgets over it allow; 429 with Retry-After when they do not now. */
export function evict(registry: Registry, target: Target, body: unknown, caller: Caller): void {
  const options = deleteOptions(body);
  const entry = entryOf(registry, target);
  const pod = entry.object as Pod;
  const inBudget = !isExempt(pod);
  const dryRun = caller.dryRun || (options.dryRun?.includes("All") ?? false);
  if (inBudget) takeFromBudget(registry, target, pod, { ...caller, dryRun });
  if (!dryRun) markDisrupted(registry, target, entry, caller);
  remove(registry, target, options, { ...caller, dryRun });
}

function deleteOptions(body: unknown): DeleteOptions {
  if (!isObject(body) || body["kind"] !== "Eviction")
    throw badRequest("the eviction subresource takes a policy/v1 Eviction");
  return isObject(body["deleteOptions"]) ? (body["deleteOptions"] as DeleteOptions) : {};
}

/** Pods that serve nobody any more, or not yet, are not what a budget protects. */
const isExempt = ({ metadata, status }: Pod): boolean =>
  metadata.deletionTimestamp !== undefined || ["Pending", "Succeeded", "Failed"].includes(status?.phase ?? "");

function takeFromBudget(registry: Registry, target: Target, pod: Pod, caller: Caller): void {
  const { namespace = "" } = target;
  const over = registry.store
    .list(budgets, namespace)
    .filter(({ object }) => matchesLabelSelector((object as PodDisruptionBudget).spec?.selector, pod.metadata.labels));
  if (over.length > 1)
    throw internalError(
      "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
    );
  const [budget] = over;
  if (!budget) return;
  const { metadata, status } = budget.object as PodDisruptionBudget;
  const allowed = status?.disruptionsAllowed ?? 0;
  const isCurrent = (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0);
  if (!isCurrent || allowed <= 0) throw tooManyDisruptions(metadata.name, status, isCurrent);
  const served = registry.catalog.find("policy", "v1", "poddisruptionbudgets");
  if (!served) return;
  const next = copyJson(budget.object) as Incoming;
  const disruptedPods = { ...status?.disruptedPods, [pod.metadata.name]: formatTime(registry.now()) };
  next["status"] = { ...status, disruptionsAllowed: allowed - 1, disruptedPods };
  writeOver(registry, { served, namespace, name: metadata.name, subresource: "status" }, { old: budget, next, caller });
}

function tooManyDisruptions(name: string, status: PodDisruptionBudget["status"], isCurrent: boolean): Error {
  const message = isCurrent
    ? `The disruption budget ${name} needs ${status?.desiredHealthy ?? 0} healthy pods and has ${status?.currentHealthy ?? 0} currently`
    : `The disruption budget ${name} is still being processed by the server.`;
  return failure(429, "TooManyRequests", "Cannot evict pod as it would violate the pod's disruption budget.", {
    causes: [{ reason: "DisruptionBudget", message }],
    retryAfterSeconds: 10,
  });
}

/** Tells the pod's owner why it goes. A pod nobody may write to any more goes without. */
function markDisrupted(registry: Registry, target: Target, old: Entry, caller: Caller): void {
  const pod = old.object as Pod;
  const next = copyJson(pod) as unknown as Incoming;
  const conditions = (pod.status?.conditions ?? []).filter(({ type }) => type !== "DisruptionTarget");
  const condition = {
    type: "DisruptionTarget",
    status: "True",
    reason: "EvictionByEvictionAPI",
    message: "Eviction API: evicting",
    lastTransitionTime: formatTime(registry.now()),
  };
  next["status"] = { ...pod.status, conditions: [...conditions, condition] };
  try {
    writeOver(registry, { ...target, subresource: "status" }, { old, next, caller });
  } catch (error) {
    if (!isApiError(error)) throw error;
  }
}
