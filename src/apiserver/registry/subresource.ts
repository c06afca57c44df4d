import { badRequest, conflict, failure, notFound } from "../../api/meta/errors.ts";
import type { Mutable } from "../../api/meta/object.ts";
import { formatTime } from "../../api/meta/time.ts";
import type { Outcome } from "./create.ts";
import { isObject } from "../schema/json-value.ts";
import { copyJson } from "./json.ts";
import { entryOf, type Registry } from "./registry.ts";
import type { Caller, Incoming, Target } from "./request.ts";
import { updateScale } from "./scale.ts";
import { checkPreconditions, update, writeOver } from "./update.ts";

/** PUT of one side of an object. `body` is the whole object (status, finalize, binding) or a Scale. */
export function writeSubresource(
  registry: Registry,
  target: Target,
  body: unknown,
  caller: Caller,
  complaints?: readonly string[],
): Outcome {
  switch (target.subresource) {
    case undefined:
      return update(registry, target, body, caller, complaints);
    case "status":
      if (!target.served.definition.statusSubresource) throw notFound(target.served.definition.kind, target.name);
      return update(registry, target, body, caller, complaints);
    case "scale":
      return updateScale(registry, target, body, caller);
    case "finalize":
      return finalizeNamespace(registry, target, body, caller);
    case "binding":
      return bindPod(registry, target, nodeOf(body), caller);
    default:
      return target.subresource satisfies never;
  }
}

/** Replaces spec.finalizers of a Namespace; the last one to go takes a deleted namespace with it. */
function finalizeNamespace(registry: Registry, target: Target, body: unknown, caller: Caller): Outcome {
  const old = entryOf(registry, target);
  if (!isObject(body) || !isObject(body["metadata"])) throw badRequest("finalize takes a Namespace");
  checkPreconditions(target, body["metadata"] as Incoming["metadata"], old);
  const given = isObject(body["spec"]) ? body["spec"]["finalizers"] : undefined;
  const next = copyJson(old.object) as Incoming;
  const spec = { ...(next["spec"] as object | undefined), finalizers: given } as Record<string, unknown>;
  if (!Array.isArray(given) || given.length === 0) delete spec["finalizers"];
  next["spec"] = spec;
  return writeOver(registry, target, { old, next, caller });
}

function nodeOf(body: unknown): string {
  if (isObject(body) && isObject(body["target"]) && typeof body["target"]["name"] === "string")
    return body["target"]["name"];
  if (isObject(body) && isObject(body["spec"]) && typeof body["spec"]["nodeName"] === "string")
    return body["spec"]["nodeName"];
  throw badRequest("a binding must name a node in target.name");
}

interface PodFields {
  spec: Mutable<{ nodeName?: string; schedulingGates?: readonly unknown[] }>;
  status?: { conditions?: Mutable<{ type: string; status: string; lastTransitionTime?: string }>[] };
}

/** Puts a pod on a node: nodeName and condition PodScheduled in one write; only once, and not while gated or deleted. */
function bindPod(registry: Registry, target: Target, node: string, caller: Caller): Outcome {
  const old = entryOf(registry, target);
  const { kind } = target.served.definition;
  const next = copyJson(old.object) as Incoming & PodFields;
  if (next.metadata.deletionTimestamp)
    throw conflict(kind, target.name, `pod ${target.name} is being deleted, cannot be assigned to a host`);
  if (next.spec.nodeName)
    throw conflict(kind, target.name, `pod ${target.name} is already assigned to node "${next.spec.nodeName}"`);
  if (next.spec.schedulingGates?.length)
    throw conflict(kind, target.name, `pod ${target.name} has non-empty .spec.schedulingGates`);
  if (node === "") throw failure(422, "Invalid", "target.name: Required value");
  next.spec.nodeName = node;
  const condition = { type: "PodScheduled", status: "True", lastTransitionTime: formatTime(registry.now()) };
  const others = (next.status?.conditions ?? []).filter(({ type }) => type !== "PodScheduled");
  next.status = { ...next.status, conditions: [...others, condition] };
  return writeOver(registry, target, { old, next, caller });
}
