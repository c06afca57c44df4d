/** SinkBinding: keeps the variables of its sink in the pod templates of its subjects (eventing pkg/reconciler/sinkbinding). */
import { DeploymentKind, ReplicaSetKind } from "../../api/apps/kinds.ts";
import { JobKind } from "../../api/batch/kinds.ts";
import type { PodSpec } from "../../api/core/types.gen.ts";
import { isInvalid, isNotFound } from "../../api/meta/errors.ts";
import type { Kind } from "../../api/meta/kind.ts";
import { matchesLabelSelector } from "../../api/meta/label-selector.ts";
import { keyOf, type KubeObject } from "../../api/meta/object.ts";
import { isFalse, isTrue, isUnknown, type Verdict } from "../../api/serving/conditions.ts";
import { KnativeServiceKind } from "../../api/serving/kinds.ts";
import { SinkBindingKind } from "../../api/sources/kinds.ts";
import type { SinkBinding } from "../../api/sources/types.gen.ts";
import type { ControllerSpec, ReconcileResult } from "../../client/controller.ts";
import { selfKey, watching } from "../../client/keys.ts";
import { ownFacts, whenChanged } from "../serving/when-changed.ts";
import { covers, observing, writeStatus } from "../serving/write.ts";
import { groupOf, watchAddresses } from "./addresses.ts";
import { bindSink, type Binding } from "./bind-sink.ts";
import type { EventingDeps } from "./deps.ts";
import { addFinalizer, dropFinalizer } from "./finalizer.ts";
import { watchFeatures } from "./features.ts";
import { identityOf } from "./identity.ts";
import { resolveSink, sourceStatus, targetOf } from "./source-status.ts";
import { askAgainMs } from "./status-parts.ts";

const finalizer = "sinkbindings.sources.knative.dev";
const bySubject = "eventing-binding-subject";
/** Objects and namespaces with it are left alone. */
const excluded = "bindings.knative.dev/exclude";

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
  { metadata, spec }: SinkBinding,
): { readonly kind?: Kind<PodSpecable>; readonly subjects: readonly PodSpecable[] } {
  const { apiVersion = "", kind: kindName = "", name, selector } = spec.subject;
  const kind = served.find(apiVersion, kindName) as Kind<PodSpecable> | undefined;
  if (!kind) return { subjects: [] };
  const subjects = informers
    .of(kind)
    .list(metadata.namespace)
    .filter((one) =>
      name ? one.metadata.name === name : selector && matchesLabelSelector(selector, one.metadata.labels ?? {}),
    )
    .filter((one) => one.metadata.labels?.[excluded] !== "true");
  return { kind, subjects };
}

async function reconcileBinding(deps: EventingDeps, binding: SinkBinding): Promise<ReconcileResult | void> {
  await addFinalizer(deps.client, SinkBindingKind, binding, finalizer);
  const sink = resolveSink(deps, SinkBindingKind, binding);
  const target = targetOf(sink);
  const { kind, subjects } = subjectsOf(deps, binding);
  const { ceOverrides: overrides } = binding.spec;
  const wanted = target && {
    url: deps.urlForPrograms(target.url),
    ...(target.caCerts ? { caCerts: target.caCerts } : {}),
    ...(overrides ? { overrides } : {}),
  };
  const available = wanted
    ? await bindAll(deps, { kind, subjects, wanted })
    : isUnknown("SinkNotProvided", "no sink yet");
  await writeStatus(
    deps,
    SinkBindingKind,
    binding,
    sourceStatus(binding, {
      sink,
      identity: await identityOf(deps, SinkBindingKind, binding),
      conditions: ["SinkBindingAvailable", "OIDCTokenSecretCreated"],
      verdicts: {
        SinkBindingAvailable: available,
        OIDCTokenSecretCreated: target?.audience
          ? isFalse("NotServed", "tokens are not handed to programs yet: send to a sink without an audience")
          : { status: "True", reason: "authentication-oidc feature disabled", message: "" },
      },
      attributes: [],
      now: deps.clock.now(),
    }),
  );
  const unseen = !kind || !watchedSubjects.some((one) => one.group === kind.group && one.kind === kind.kind);
  if (unseen || (sink.kind === "failed" && sink.retry)) return { requeueAfterMs: askAgainMs };
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
  const { containers, initContainers } = bound;
  const spec = { containers, ...(initContainers ? { initContainers } : {}) };
  const body = { metadata: { resourceVersion }, spec: { template: { spec } } };
  try {
    await client.patch(kind, { namespace, name }, { type: "merge", body });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
