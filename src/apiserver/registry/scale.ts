import type { ScalePaths } from "../../api/meta/definition.ts";
import { badRequest, invalid, notFound } from "../../api/meta/errors.ts";
import { fieldError } from "../../api/meta/field-error.ts";
import { formatLabelSelector } from "../../api/meta/label-selector.ts";
import type { KubeObject } from "../../api/meta/object.ts";
import type { LabelSelector } from "../../api/meta/types.gen.ts";
import type { Entry } from "../storage/entry.ts";
import type { Outcome } from "./create.ts";
import { toServed, toStored } from "./intake.ts";
import { isObject } from "../schema/json-value.ts";
import { copyJson } from "./json.ts";
import { entryOf, type Registry } from "./registry.ts";
import type { Caller, Incoming, Target } from "./request.ts";
import { checkPreconditions, writeOver } from "./update.ts";

/** autoscaling/v1 Scale: what every scalable kind looks like to who only scales. */
export interface Scale extends KubeObject {
  readonly spec: { readonly replicas?: number };
  readonly status: { readonly replicas: number; readonly selector?: string };
}

function pathsOf(target: Target): ScalePaths {
  const { scale, kind } = target.served.definition;
  if (!scale) throw notFound(kind, target.name);
  return scale;
}

/** The Scale of a stored object. */
export function scaleOf(target: Target, entry: Entry): Scale {
  const paths = pathsOf(target);
  const object = toServed(target.served, entry.object);
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const replicas = read(object, paths.specReplicas);
  const selector = paths.labelSelector ? selectorText(read(object, paths.labelSelector)) : undefined;
  return {
    kind: "Scale",
    apiVersion: "autoscaling/v1",
    metadata: {
      name,
      ...(namespace ? { namespace } : {}),
      ...(uid ? { uid } : {}),
      ...(resourceVersion ? { resourceVersion } : {}),
      ...(creationTimestamp ? { creationTimestamp } : {}),
    },
    spec: typeof replicas === "number" ? { replicas } : {},
    status: { replicas: Number(read(object, paths.statusReplicas) ?? 0), ...(selector ? { selector } : {}) },
  };
}

const selectorText = (value: unknown): string | undefined => {
  if (typeof value === "string") return value;
  return isObject(value) ? formatLabelSelector(value as LabelSelector) : undefined;
};

export function readScale(registry: Registry, target: Target): Scale {
  return scaleOf(target, entryOf(registry, target));
}

/** Writes spec.replicas of a Scale through to the object, by its rules of defaulting, checks and generation. */
export function updateScale(registry: Registry, target: Target, body: unknown, caller: Caller): Outcome {
  const paths = pathsOf(target);
  const old = entryOf(registry, target);
  if (!isObject(body) || !isObject(body["metadata"]))
    throw badRequest("the scale subresource takes an autoscaling/v1 Scale");
  checkPreconditions(target, body["metadata"] as Incoming["metadata"], old);
  const replicas = isObject(body["spec"]) ? (body["spec"]["replicas"] ?? 0) : 0;
  if (typeof replicas !== "number" || !Number.isInteger(replicas))
    throw badRequest('Scale in version "v1" cannot be handled as a Scale: spec.replicas must be an integer');
  if (replicas < 0)
    throw invalid({ group: "autoscaling", kind: "Scale" }, target.name, [
      fieldError.invalid("spec.replicas", replicas, "must be greater than or equal to 0"),
    ]);
  const next = copyJson(toServed(target.served, old.object)) as Incoming;
  assign(next, paths.specReplicas, replicas);
  return writeOver(registry, target, { old, next: toStored(target.served, next), caller });
}

const steps = (path: string): string[] => path.split(".").filter((step) => step !== "");

function read(object: unknown, path: string): unknown {
  let at = object;
  for (const step of steps(path)) at = isObject(at) ? at[step] : undefined;
  return at;
}

function assign(object: Record<string, unknown>, path: string, value: unknown): void {
  const names = steps(path);
  const last = names.pop();
  let at = object;
  for (const name of names) {
    if (!isObject(at[name])) at[name] = {};
    at = at[name] as Record<string, unknown>;
  }
  if (last) at[last] = value;
}
