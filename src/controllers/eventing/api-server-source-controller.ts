/** ApiServerSource: an event for every change of objects of some kinds (eventing pkg/adapter/apiserver). */
import { NamespaceKind } from "../../api/core/kinds.ts";
import type { Kind } from "../../api/meta/kind.ts";
import { matchesLabelSelector } from "../../api/meta/label-selector.ts";
import { keyOf, type KubeObject } from "../../api/meta/object.ts";
import { controllerOf } from "../../api/meta/owner.ts";
import { isFalse, isTrue, isUnknown, type Verdict } from "../../api/serving/conditions.ts";
import { ApiServerSourceKind } from "../../api/sources/kinds.ts";
import type { ApiServerSource, APIVersionKindSelector } from "../../api/sources/types.gen.ts";
import type { ControllerSpec, ReconcileContext, ReconcileResult } from "../../client/controller.ts";
import type { Change } from "../../client/informer.ts";
import { selfKey, watching } from "../../client/keys.ts";
import { ownFacts, whenChanged } from "../serving/when-changed.ts";
import { observing, writeStatus } from "../serving/write.ts";
import { groupOf, watchAddresses } from "./addresses.ts";
import { deliverSourceEvent } from "./deliver-source-event.ts";
import type { EventingDeps } from "./deps.ts";
import { apiServerEventTypes, makeApiServerEvent } from "./make-api-server-event.ts";
import { watchFeatures } from "./features.ts";
import { identityOf } from "./identity.ts";
import { resolveSink, sourceStatus, targetOf } from "./source-status.ts";
import { askAgainMs } from "./status-parts.ts";

/** Events of one source that may wait for a slow sink; more are dropped, and that is told. */
const longestQueue = 10_000;

/** Watches of one source; ended when the spec changes. */
interface Running {
  readonly uid: string | undefined;
  readonly generation: number | undefined;
  readonly stop: AbortController;
  /** Kinds that were not served, or not known yet, when the watches were begun. */
  readonly missing: readonly string[];
  source: ApiServerSource;
  queued: number;
  tail: Promise<void>;
}

export function apiServerSourceController(deps: EventingDeps): ControllerSpec {
  const sources = deps.informers.of(ApiServerSourceKind);
  const running = new Map<string, Running>();
  return {
    name: "eventing-api-server-source",
    watches: [
      watching(ApiServerSourceKind, whenChanged(ownFacts, selfKey)),
      watching(NamespaceKind, () =>
        sources
          .list()
          .filter(({ spec }) => spec.namespaceSelector)
          .map(({ metadata }) => keyOf(metadata)),
      ),
      watchFeatures(sources),
      ...watchAddresses(sources, "eventing-api-server-sink", ({ spec }) => [spec.sink]),
    ],
    async reconcile(key, context) {
      const source = sources.get(key);
      const known = running.get(key);
      if (!source || source.metadata.deletionTimestamp) {
        known?.stop.abort(new Error("the source is gone"));
        running.delete(key);
        return;
      }
      return observing(deps, ApiServerSourceKind, source, async () => {
        running.set(key, follow(deps, source, known, context));
        return report(deps, source, running.get(key));
      });
    },
  };
}

function follow(
  deps: EventingDeps,
  source: ApiServerSource,
  known: Running | undefined,
  { signal }: ReconcileContext,
): Running {
  const { uid, generation } = source.metadata;
  const isSame = known && known.uid === uid && known.generation === generation && known.missing.length === 0;
  if (isSame) {
    known.source = source;
    return known;
  }
  known?.stop.abort(new Error("the source was changed"));
  const stop = new AbortController();
  signal.addEventListener("abort", () => stop.abort(signal.reason), { signal: stop.signal });
  const missing: string[] = [];
  const next: Running = { uid, generation, stop, missing, source, queued: 0, tail: Promise.resolve() };
  for (const resource of source.spec.resources ?? []) {
    const kind = deps.served.find(resource.apiVersion ?? "", resource.kind ?? "");
    if (!kind || !deps.informers.of(kind).synced) missing.push(`${resource.kind} of ${resource.apiVersion}`);
    else watchKind(deps, next, kind, resource);
  }
  return next;
}

/** What is there already is no change: only what comes after the beginning is told. */
function watchKind(deps: EventingDeps, running: Running, kind: Kind, resource: APIVersionKindSelector): void {
  let begun = false;
  const remove = deps.informers.of(kind).onChange((change) => {
    if (begun && isWanted(deps, running.source, resource, change)) enqueue(deps, running, kind, change);
  });
  begun = true;
  running.stop.signal.addEventListener("abort", remove, { once: true });
}

function isWanted(
  deps: EventingDeps,
  { metadata, spec }: ApiServerSource,
  { selector }: APIVersionKindSelector,
  { object }: Change<KubeObject>,
): boolean {
  if (selector && !matchesLabelSelector(selector, object.metadata.labels ?? {})) return false;
  const owner = controllerOf(object);
  const { owner: wanted, namespaceSelector } = spec;
  if (wanted && (owner?.kind !== wanted.kind || groupOf(owner?.apiVersion ?? "") !== groupOf(wanted.apiVersion ?? "")))
    return false;
  const { namespace } = object.metadata;
  if (!namespaceSelector) return namespace === undefined || namespace === metadata.namespace;
  const home = deps.informers.of(NamespaceKind).get(namespace ?? "");
  return matchesLabelSelector(namespaceSelector, home?.metadata.labels ?? {});
}

/** One after the other, in the order of the changes. */
function enqueue(deps: EventingDeps, running: Running, kind: Kind, change: Change<KubeObject>): void {
  const { signal } = running.stop;
  if (running.queued >= longestQueue) {
    const message = `${longestQueue} changes wait for the sink: further ones are dropped`;
    deps.recorder.record({
      kind: ApiServerSourceKind,
      object: running.source,
      type: "Warning",
      reason: "ChangesDropped",
      message,
    });
    return;
  }
  running.queued += 1;
  running.tail = running.tail
    .then(() => deliver(deps, running, kind, change))
    .catch((error: unknown) => {
      if (!signal.aborted)
        deps.log.error("a change could not be told", { source: running.source.metadata.name, err: error });
    })
    .finally(() => (running.queued -= 1));
}

async function deliver(deps: EventingDeps, running: Running, kind: Kind, change: Change<KubeObject>): Promise<void> {
  const { source, stop } = running;
  const event = makeApiServerEvent(source, kind, change);
  const target = targetOf(resolveSink(deps, ApiServerSourceKind, source));
  if (!target || !event) return;
  const what = `a change of ${kind.kind} "${change.object.metadata.name}"`;
  const { signal } = stop;
  await deliverSourceEvent(deps, { kind: ApiServerSourceKind, source, what, target, event, signal });
}

async function report(
  deps: EventingDeps,
  source: ApiServerSource,
  running: Running | undefined,
): Promise<ReconcileResult | void> {
  const sink = resolveSink(deps, ApiServerSourceKind, source);
  const missing = running?.missing ?? [];
  const deployed: Verdict =
    missing.length === 0 ? isTrue : isUnknown("KindsNotServed", `not watched yet: ${missing.join(", ")}`);
  const namespaces = namespacesOf(deps, source);
  await writeStatus(deps, ApiServerSourceKind, source, {
    ...sourceStatus(source, {
      sink,
      identity: await identityOf(deps, ApiServerSourceKind, source),
      conditions: ["Deployed", "SufficientPermissions"],
      verdicts: {
        Deployed: deployed,
        SufficientPermissions:
          namespaces.length > 0 ? isTrue : isFalse("NoNamespaces", "no namespace has the labels of namespaceSelector"),
      },
      attributes: apiServerEventTypes(source).map((type) => ({ type, source: apiServerUrl })),
      now: deps.clock.now(),
    }),
    namespaces,
  });
  if (missing.length > 0 || (sink.kind === "failed" && sink.retry)) return { requeueAfterMs: askAgainMs };
}

/** What events say they come from. */
const apiServerUrl = "https://kubernetes.default.svc";

function namespacesOf({ informers }: EventingDeps, { metadata, spec }: ApiServerSource): readonly string[] {
  const { namespaceSelector } = spec;
  if (!namespaceSelector) return [metadata.namespace ?? ""];
  return informers
    .of(NamespaceKind)
    .list()
    .filter((one) => matchesLabelSelector(namespaceSelector, one.metadata.labels ?? {}))
    .map((one) => one.metadata.name)
    .sort();
}
