/** SinkBinding: keeps the variables of its sink in the pod templates of its subjects (eventing pkg/reconciler/sinkbinding). */
import { DeploymentKind, ReplicaSetKind } from "../../api/apps/kinds.ts";
import { JobKind } from "../../api/batch/kinds.ts";
import type { PodSpec } from "../../api/core/types.gen.ts";
import { isInvalid, isNotFound } from "../../api/meta/errors.ts";
import type { Kind } from "../../api/meta/kind.ts";
import { keyOf, type KubeObject } from "../../api/meta/object.ts";
import { conditionOf, isFalse, isTrue, isUnknown, verdictOf, type Verdict } from "../../api/serving/conditions.ts";
import { KnativeServiceKind } from "../../api/serving/kinds.ts";
import { SinkBindingKind } from "../../api/sources/kinds.ts";
import type { SinkBinding } from "../../api/sources/types.gen.ts";
import type { ControllerSpec, ReconcileResult } from "../../client/controller.ts";
import { selfKey, watching } from "../../client/keys.ts";
import { ownFacts, whenChanged } from "../serving/when-changed.ts";
import { covers, observing, writeStatus } from "../serving/write.ts";
import { groupOf, watchAddresses } from "./addresses.ts";
import { bindSink, bindingOf, isSubject, programSink, type Binding } from "../../api/sources/bind-sink.ts";
import type { EventingDeps } from "./deps.ts";
import { addFinalizer, dropFinalizer } from "./finalizer.ts";
import { watchFeatures } from "./features.ts";
import { identityOf } from "./identity.ts";
import { resolveSink, sourceStatus, targetOf } from "./source-status.ts";
import { keepToken } from "./sink-binding-token.ts";
import { askAgainMs } from "./status-parts.ts";

const finalizer = "sinkbindings.sources.knative.dev";
const bySubject = "eventing-binding-subject";

interface PodSpecable extends KubeObject {
  readonly spec?: { readonly template?: { readonly spec?: PodSpec } };
}

/** Subjects whose changes are seen at once. */
const watchedSubjects: readonly Kind[] = [DeploymentKind, ReplicaSetKind, JobKind, KnativeServiceKind];

export function sinkBindingController(deps: EventingDeps): ControllerSpec {
  const bindings = deps.informers.of(SinkBindingKind);
  bindings.addIndex(bySubject, ({ metadata, spec: { subject } }) => [
    `${groupOf(subject.apiVersion ?? "")}/${subject.kind}/${metadata.namespace}`,
  ]);
  return {
    name: "eventing-sink-binding",
    watches: [
      watching(SinkBindingKind, whenChanged(ownFacts, selfKey)),
      ...watchedSubjects.map((kind) =>
        watching<KubeObject>(
          kind,
          whenChanged(ownFacts, ({ metadata }) =>
            bindings
              .byIndex(bySubject, `${kind.group}/${kind.kind}/${metadata.namespace}`)
              .map((binding) => keyOf(binding.metadata)),
          ),
        ),
      ),
      watchFeatures(bindings),
      ...watchAddresses(bindings, "eventing-binding-sink", ({ spec }) => [spec.sink]),
    ],
    async reconcile(key) {
      const binding = bindings.get(key);
      if (!binding) return;
      if (binding.metadata.deletionTimestamp) return release(deps, binding);
      return observing(deps, SinkBindingKind, binding, () => reconcileBinding(deps, binding));
    },
  };
}

async function release(deps: EventingDeps, binding: SinkBinding): Promise<void> {
  const { kind, subjects } = subjectsOf(deps, binding);
  if (kind) for (const subject of subjects) await bind(deps, kind, subject, undefined);
  await dropFinalizer(deps.client, SinkBindingKind, binding, finalizer);
}

function subjectsOf(
  { informers, served }: EventingDeps,
  binding: SinkBinding,
): { readonly kind?: Kind<PodSpecable>; readonly subjects: readonly PodSpecable[] } {
  const { metadata, spec } = binding;
  const { apiVersion = "", kind: kindName = "" } = spec.subject;
  const kind = served.find(apiVersion, kindName) as Kind<PodSpecable> | undefined;
  if (!kind) return { subjects: [] };
  const subjects = informers
    .of(kind)
    .list(metadata.namespace)
    .filter((one) => isSubject(binding, kind, one));
  return { kind, subjects };
}

async function reconcileBinding(deps: EventingDeps, binding: SinkBinding): Promise<ReconcileResult | void> {
  await addFinalizer(deps.client, SinkBindingKind, binding, finalizer);
  const sink = resolveSink(deps, SinkBindingKind, binding);
  const target = targetOf(sink);
  const { kind, subjects } = subjectsOf(deps, binding);
  const identity = await identityOf(deps, SinkBindingKind, binding);
  const token = await keepToken(deps, binding, { audience: target?.audience, as: identity.as });
  const url = target && deps.urlForPrograms(target.url);
  const known = {
    ...(url === undefined || url === target?.url ? {} : { annotations: { [programSink]: url } }),
    ...(token.secret === undefined ? {} : { oidcTokenSecretName: token.secret }),
  };
  const facts = (available: Verdict) => ({
    ...sourceStatus(binding, {
      sink,
      identity,
      conditions: ["SinkBindingAvailable", "OIDCTokenSecretCreated"],
      verdicts: { SinkBindingAvailable: available, OIDCTokenSecretCreated: token.verdict },
      attributes: [],
      now: deps.clock.now(),
    }),
    ...known,
  });
  const before = conditionOf(binding, "SinkBindingAvailable");
  // The sink first: what is written from now on is bound as it is written, and what was there before is bound below.
  const told = facts(before ? verdictOf(before) : isUnknown("Binding", "subjects are being bound"));
  const wanted = url === undefined ? undefined : bindingOf({ ...binding, status: told });
  if (wanted) await writeStatus(deps, SinkBindingKind, binding, told);
  const available = wanted
    ? await bindAll(deps, { kind, subjects, wanted })
    : isUnknown("SinkNotProvided", "no sink yet");
  await writeStatus(deps, SinkBindingKind, binding, facts(available));
  const unseen = !kind || !watchedSubjects.some((one) => one.group === kind.group && one.kind === kind.kind);
  if (unseen || (sink.kind === "failed" && sink.retry)) return { requeueAfterMs: askAgainMs };
  if (token.renewInMs !== undefined) return { requeueAfterMs: token.renewInMs };
}

interface BindAll {
  readonly kind: Kind<PodSpecable> | undefined;
  readonly subjects: readonly PodSpecable[];
  readonly wanted: Binding;
}

async function bindAll(deps: EventingDeps, { kind, subjects, wanted }: BindAll): Promise<Verdict> {
  if (!kind || subjects.length === 0) return isFalse("SubjectMissing", "no subject is there yet");
  const refused: string[] = [];
  for (const subject of subjects) {
    try {
      await bind(deps, kind, subject, wanted);
    } catch (error) {
      // A Job's template cannot change any more: it must be made after the binding.
      if (!isInvalid(error)) throw error;
      refused.push(subject.metadata.name);
    }
  }
  if (refused.length === 0) return isTrue;
  const which = refused.map((name) => JSON.stringify(name)).join(", ");
  return isFalse("SubjectImmutable", `${kind.kind} ${which} was there before the binding, and cannot be changed`);
}

async function bind(
  { client }: EventingDeps,
  kind: Kind<PodSpecable>,
  subject: PodSpecable,
  wanted: Binding | undefined,
): Promise<void> {
  const pod = subject.spec?.template?.spec;
  if (!pod) return;
  const bound = bindSink(pod, wanted);
  if (covers(pod, bound) && covers(bound, pod)) return;
  const { name, namespace = "", resourceVersion } = subject.metadata;
  const { containers, initContainers, volumes } = bound;
  const hadVolumes = (pod.volumes ?? []).length > 0;
  const spec = {
    containers,
    ...(initContainers ? { initContainers } : {}),
    ...(volumes || hadVolumes ? { volumes: volumes ?? null } : {}),
  };
  const body = { metadata: { resourceVersion }, spec: { template: { spec } } };
  try {
    await client.patch(kind, { namespace, name }, { type: "merge", body });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
