import { isDeepStrictEqual } from "node:util";
import { NamespaceKind, PodKind } from "../../api/core/kinds.ts";
import type { Namespace, NamespaceCondition } from "../../api/core/types.gen.ts";
import { isNotFound } from "../../api/meta/errors.ts";
import { resourceOf, type Kind } from "../../api/meta/kind.ts";
import type { KubeObject } from "../../api/meta/object.ts";
import { formatTime } from "../../api/meta/time.ts";
import type { ControllerSpec, ReconcileResult } from "../../client/controller.ts";
import { selfKey, watching } from "../../client/keys.ts";
import type { CoreDeps } from "../core-deps.ts";
import type { ServedKinds } from "../served-kinds.ts";

const finalizer = "kubernetes";
/** What remains is waited for by its own deletion; this is for content no informer tells of. */
const recheckMs = 5000;

export interface NamespaceDeps extends CoreDeps {
  readonly kinds: ServedKinds;
}

/** What is left of one kind, and which finalizers hold it. */
interface Remainder {
  readonly kind: Kind;
  readonly objects: readonly KubeObject[];
}

/** Empties a namespace that was deleted, then lets it go. */
export function namespaceController(deps: NamespaceDeps): ControllerSpec {
  const namespaces = deps.informers.of(NamespaceKind);
  const isGoing = (name: string): boolean => namespaces.get(name)?.metadata.deletionTimestamp !== undefined;
  return {
    name: "namespace",
    watches: [watching(NamespaceKind, selfKey)],
    onStart: (queue, signal) => {
      const stop = deps.kinds.onAdded((kind) => {
        if (!kind.namespaced) return;
        const remove = deps.informers.of(kind).onChange(({ type, object }) => {
          const { namespace = "" } = object.metadata;
          if (type !== "modified" && isGoing(namespace)) queue.add(namespace);
        });
        signal.addEventListener("abort", remove, { once: true });
      });
      signal.addEventListener("abort", stop, { once: true });
    },
    reconcile: async (name) => reconcile(deps, namespaces.get(name)),
  };
}

async function reconcile(deps: NamespaceDeps, namespace: Namespace | undefined): Promise<ReconcileResult | void> {
  if (!namespace?.metadata.deletionTimestamp) return;
  if (!namespace.spec?.finalizers?.includes(finalizer)) return;
  const { name } = namespace.metadata;
  const remaining: Remainder[] = [];
  for (const kind of podsFirst(deps.kinds.list())) {
    const left = await empty(deps, kind, name);
    if (left.objects.length > 0) remaining.push(left);
  }
  const current = await writeConditions(deps, namespace, remaining);
  if (remaining.length > 0) return { requeueAfterMs: recheckMs };
  const finalizers = current.spec?.finalizers?.filter((held) => held !== finalizer) ?? [];
  try {
    const spec = { ...current.spec, finalizers };
    await deps.client.update(NamespaceKind, { ...current, spec }, { subresource: "finalize" });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

/** Pods release what the rest may be waiting for. */
function podsFirst(kinds: readonly Kind[]): readonly Kind[] {
  const namespaced = kinds.filter((kind) => kind.namespaced);
  const isPod = (kind: Kind): boolean => kind.group === PodKind.group && kind.plural === PodKind.plural;
  return [...namespaced.filter(isPod), ...namespaced.filter((kind) => !isPod(kind))];
}

/** Deletes all objects of a kind; resolves with those that stay for their finalizers or grace. */
async function empty({ client }: NamespaceDeps, kind: Kind, namespace: string): Promise<Remainder> {
  const { items } = await client.list(kind, { namespace });
  const live = items.filter((object) => !object.metadata.deletionTimestamp);
  await Promise.all(live.map((object) => remove(client, kind, object)));
  if (items.length === 0) return { kind, objects: [] };
  const after = await client.list(kind, { namespace });
  return { kind, objects: after.items };
}

async function remove(client: NamespaceDeps["client"], kind: Kind, { metadata }: KubeObject): Promise<void> {
  try {
    const key = { name: metadata.name, namespace: metadata.namespace ?? "" };
    await client.delete(kind, key, { propagationPolicy: "Background" });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

async function writeConditions(
  { client, clock }: NamespaceDeps,
  namespace: Namespace,
  remaining: readonly Remainder[],
): Promise<Namespace> {
  const conditions = deletionConditions(namespace.status?.conditions ?? [], remaining, clock.now());
  if (isDeepStrictEqual(conditions, namespace.status?.conditions)) return namespace;
  const status = { ...namespace.status, conditions };
  return client.update(NamespaceKind, { ...namespace, status }, { subresource: "status" });
}

/** The five conditions of a namespace on its way out (kubernetes pkg/controller/namespace/deletion). */
export function deletionConditions(
  before: readonly NamespaceCondition[],
  remaining: readonly Remainder[],
  now: number,
): readonly NamespaceCondition[] {
  const resources = remaining.map(
    ({ kind, objects }) => `${resourceOf(kind)}. has ${objects.length} resource instances`,
  );
  const held = new Map<string, number>();
  for (const { objects } of remaining) {
    for (const { metadata } of objects) {
      for (const name of metadata.finalizers ?? []) held.set(name, (held.get(name) ?? 0) + 1);
    }
  }
  const finalizers = [...held].sort().map(([name, count]) => `${name} in ${count} resource instances`);
  const facts: readonly (readonly [
    type: string,
    held: boolean,
    bad: readonly [string, string],
    good: readonly [string, string],
  ])[] = [
    [
      "NamespaceDeletionDiscoveryFailure",
      false,
      ["", ""],
      ["ResourcesDiscovered", "All resources successfully discovered"],
    ],
    [
      "NamespaceDeletionGroupVersionParsingFailure",
      false,
      ["", ""],
      ["ParsedGroupVersions", "All legacy kube types successfully parsed"],
    ],
    [
      "NamespaceDeletionContentFailure",
      false,
      ["", ""],
      ["ContentDeleted", "All content successfully deleted, may be waiting on finalization"],
    ],
    [
      "NamespaceContentRemaining",
      resources.length > 0,
      ["SomeResourcesRemain", `Some resources are remaining: ${resources.join(", ")}`],
      ["ContentRemoved", "All content successfully removed"],
    ],
    [
      "NamespaceFinalizersRemaining",
      finalizers.length > 0,
      ["SomeFinalizersRemain", `Some content in the namespace has finalizers remaining: ${finalizers.join(", ")}`],
      ["ContentHasNoFinalizers", "All content-preserving finalizers finished"],
    ],
  ];
  return facts.map(([type, isTrue, bad, good]) => {
    const status = isTrue ? "True" : "False";
    const [reason, message] = isTrue ? bad : good;
    const known = before.find((condition) => condition.type === type);
    const lastTransitionTime = known?.status === status ? (known.lastTransitionTime ?? "") : formatTime(now);
    return { type, status, lastTransitionTime, reason, message };
  });
}
