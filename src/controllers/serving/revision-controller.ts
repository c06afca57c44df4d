import { isDeepStrictEqual } from "node:util";
import { DeploymentKind } from "../../api/apps/kinds.ts";
import type { Deployment } from "../../api/apps/types.gen.ts";
import { PodAutoscalerKind } from "../../api/autoscaling-internal/kinds.ts";
import type { PodAutoscaler } from "../../api/autoscaling-internal/types.gen.ts";
import { PodKind, ServiceKind } from "../../api/core/kinds.ts";
import type { Pod, Service } from "../../api/core/types.gen.ts";
import { claimGate } from "../../api/ebb-keys.ts";
import type { Kind } from "../../api/meta/kind.ts";
import { keyOf, type Draft, type KubeObject } from "../../api/meta/object.ts";
import { isControlledBy } from "../../api/meta/owner.ts";
import { conditionOf } from "../../api/serving/conditions.ts";
import { servingKeys } from "../../api/serving/keys.ts";
import { RevisionKind } from "../../api/serving/kinds.ts";
import type { Revision, RevisionStatus } from "../../api/serving/types.gen.ts";
import type { ControllerQueue, ControllerSpec, ReconcileResult, WatchRule } from "../../client/controller.ts";
import type { Informer } from "../../client/informer.ts";
import { controllerKey, labelKey, selfKey, watching } from "../../client/keys.ts";
import { servingConfig, type ServingConfig } from "./config.ts";
import type { ServingDeps } from "./deps.ts";
import { createDigestResolver, type DigestResolver } from "./digest-resolver.ts";
import { makeDeployment } from "./make-deployment.ts";
import { makePodAutoscaler, syncedAnnotations } from "./make-pod-autoscaler.ts";
import { makePrivateService, makePublicService } from "./make-revision-services.ts";
import { deploymentNameOf } from "./revision-metadata.ts";
import { revisionStatus, type RevisionFacts } from "./revision-status.ts";
import { nodeLossOf, recentDeathOf, type StartFailure, startFailureOf, startProgressOf } from "./start-failure.ts";
import { ownFacts, whenChanged } from "./when-changed.ts";
import { covers, createOrGet, lookAgain, observing, writeStatus } from "./write.ts";

interface Parts {
  readonly deps: ServingDeps;
  readonly config: ServingConfig;
  readonly digests: DigestResolver;
  readonly podsOf: (uid: string) => readonly Pod[];
}

const byRevision = "serving-revision-uid";

/** Runs a Revision: its Deployment, PodAutoscaler and core Services, and in its status how they fare. */
export function revisionController(deps: ServingDeps): ControllerSpec {
  const revisions = deps.informers.of(RevisionKind);
  const pods = deps.informers.of(PodKind);
  pods.addIndex(byRevision, ({ metadata }) => {
    const uid = metadata.labels?.[servingKeys.revisionUid];
    return uid === undefined ? [] : [uid];
  });
  const parts: Parts = {
    deps,
    config: servingConfig(deps.informers),
    digests: createDigestResolver(deps),
    podsOf: (uid) => pods.byIndex(byRevision, uid),
  };
  let queue: ControllerQueue | undefined;
  return {
    name: "knative-revision",
    watches: [
      watching(RevisionKind, whenChanged(revisionOwnFacts, selfKey)),
      watching(DeploymentKind, whenChanged(deploymentFacts, controllerKey(RevisionKind))),
      // Bears the Revision's name, as the public core Service does.
      watching(PodAutoscalerKind, selfKey),
      watching(ServiceKind, controllerKey(RevisionKind)),
      watching(PodKind, podKeys(revisions)),
    ],
    onStart(started) {
      queue = started;
      deps.lost?.onChange(({ revision }) => started.add(revision));
      deps.warmTroubles?.onChange((revision) => started.add(revision));
    },
    async reconcile(key) {
      const revision = revisions.get(key);
      if (!revision || revision.metadata.deletionTimestamp) return;
      return observing(deps, RevisionKind, revision, () => reconcileRevision(parts, revision, () => queue?.add(key)));
    },
  };
}

/** Beside what users write, whether it failed: its PodAutoscaler's reachability goes by that. */
const revisionOwnFacts = (revision: Revision): unknown => [
  ownFacts(revision),
  conditionOf(revision, "ResourcesAvailable")?.status,
  conditionOf(revision, "ContainerHealthy")?.status,
];

/** Pods only matter for what is wrong with them; until the Revision is ready, for what they still wait for too. */
function podKeys(revisions: Informer<Revision>): WatchRule<Pod>["keysOf"] {
  const owner = labelKey(servingKeys.revision);
  return (pod, old) => {
    const before = old ? [old] : [];
    if (!isDeepStrictEqual(startFailureOf([pod]), startFailureOf(before))) return owner(pod, old);
    if (!isDeepStrictEqual(nodeLossOf([pod], unheard), nodeLossOf(before, unheard))) return owner(pod, old);
    if (startProgressOf([pod]) === startProgressOf(before)) return [];
    return owner(pod, old).filter((key) => conditionOf(revisions.get(key), "Ready")?.status !== "True");
  };
}

/** What routers say of instances comes another way. */
const unheard = (): boolean => false;

/** What the Revision says of its Deployment; counts only as far as they pass zero. */
const deploymentFacts = ({ metadata, spec, status }: Deployment): unknown => [
  metadata.generation,
  metadata.labels,
  metadata.ownerReferences,
  (spec.replicas ?? 0) > 0,
  (status?.readyReplicas ?? 0) > 0,
  (status?.availableReplicas ?? 0) > 0,
  status?.conditions?.map(({ type, status, reason }) => [type, status, reason]),
];

async function reconcileRevision(parts: Parts, revision: Revision, again: () => void): Promise<ReconcileResult | void> {
  const { deps, config, digests, podsOf } = parts;
  const deploymentConfig = config.deployment();
  const found = digests.resolve(revision, deploymentConfig, again);
  const children: Children =
    found.kind === "resolved" ? await reconcileChildren(parts, withDigests(revision, found)) : none;
  if (found.kind === "resolved") digests.forget(revision.metadata.uid ?? "");
  const { deployment } = children;
  const short = (deployment?.spec.replicas ?? 0) > 0 && (deployment?.status?.availableReplicas ?? 0) === 0;
  const pods = podsOf(revision.metadata.uid ?? "");
  const now = deps.clock.now();
  const nodeLost = nodeLossOf(pods, (uid) => deps.lost?.isLost(uid) ?? false);
  const death = short ? undefined : recentDeathOf(pods, now);
  const status = revisionStatus({
    revision,
    digests: found,
    ...children,
    startFailure: short ? startFailureOf(pods) : undefined,
    nodeLost,
    recentDeath: death?.failure,
    warmTrouble: deps.warmTroubles?.of(keyOf(revision.metadata)),
    startProgress: short ? startProgressOf(pods) : "",
    waitForNodes: deploymentConfig.podIsAlwaysSchedulable,
    logUrl: config.logUrlTemplate().replaceAll("${REVISION_UID}", revision.metadata.uid ?? ""),
    now,
  });
  await writeStatus(deps, RevisionKind, revision, status);
  announce(deps, revision, status, { nodeLost, short });
  if (children.foreign) return lookAgain;
  if (death) return { requeueAfterMs: death.forMs };
}

type Children = Pick<RevisionFacts, "deployment" | "autoscaler" | "foreign">;

const none: Children = { deployment: undefined, autoscaler: undefined };

const withDigests = (
  revision: Revision,
  found: { readonly containers: RevisionStatus["containerStatuses"] },
): Revision => ({ ...revision, status: { ...revision.status, containerStatuses: found.containers } }) as Revision;

async function reconcileChildren(parts: Parts, revision: Revision): Promise<Children> {
  const [deployment, autoscaler, ...services] = await Promise.all([
    reconcileDeployment(parts, revision),
    reconcileAutoscaler(parts, revision),
    reconcileService(parts, revision, makePublicService(revision)),
    reconcileService(parts, revision, makePrivateService(revision)),
  ]);
  const foreign = [deployment, autoscaler, ...services].find((child) => "foreign" in child);
  return {
    deployment: "mine" in deployment ? deployment.mine : undefined,
    autoscaler: "mine" in autoscaler ? autoscaler.mine : undefined,
    ...(foreign && "foreign" in foreign ? { foreign: foreign.foreign } : {}),
  };
}

type Ensured<T> =
  | { readonly mine: T | undefined }
  | { readonly foreign: { readonly kind: string; readonly name: string } };

/** The child as stored, made if it is missing; `change` gives the object to write when it has drifted. */
async function ensure<T extends KubeObject>(
  { deps }: Parts,
  kind: Kind<T>,
  revision: Revision,
  draft: Draft<T>,
  change: (have: T) => T | undefined,
): Promise<Ensured<T>> {
  const { client, informers } = deps;
  const { name = "", namespace } = draft.metadata;
  const have =
    informers.of(kind).get(keyOf({ name, ...(namespace ? { namespace } : {}) })) ??
    (await createOrGet(client, kind, draft));
  if (!isControlledBy(have, revision)) return { foreign: { kind: kind.kind, name } };
  const wanted = change(have);
  return { mine: wanted === undefined ? have : await client.update(kind, wanted) };
}

async function reconcileDeployment(parts: Parts, revision: Revision): Promise<Ensured<Deployment>> {
  const { initialScale } = parts.config.autoscaler();
  const { progressDeadlineS } = parts.config.deployment();
  const { podDrainS: drainS = 0, leaveNodeS } = parts.deps;
  const settings = { initialScale, progressDeadlineS, drainS, ...(leaveNodeS === undefined ? {} : { leaveNodeS }) };
  const ungated = makeDeployment(revision, settings);
  const draft = (await isGated(parts, ungated)) ? makeDeployment(revision, { ...settings, gated: true }) : ungated;
  return ensure(parts, DeploymentKind, revision, draft, (have) => {
    // The scale belongs to the autoscaler, the selector never changes.
    const { replicas, selector } = have.spec;
    const spec = { ...draft.spec, ...(replicas === undefined ? {} : { replicas }), selector };
    const { labels, annotations } = draft.metadata;
    if (covers(have.spec, spec) && covers(have.metadata, { labels, annotations })) return undefined;
    const metadata = {
      ...have.metadata,
      labels: { ...have.metadata.labels, ...labels },
      annotations: { ...have.metadata.annotations, ...annotations },
    };
    return { ...have, metadata, spec };
  });
}

/** Pods stay as they were made: who is gated remains so, or each change of mind would be a rollout. */
async function isGated({ deps }: Parts, draft: Draft<Deployment>): Promise<boolean> {
  const have = deps.informers.of(DeploymentKind).get(`${draft.metadata.namespace}/${draft.metadata.name}`);
  if (!have) return (await deps.mayBeClaimed?.(draft)) ?? false;
  return have.spec.template.spec?.schedulingGates?.some(({ name }) => name === claimGate) ?? false;
}

function reconcileAutoscaler(parts: Parts, revision: Revision): Promise<Ensured<PodAutoscaler>> {
  const { namespace } = revision.metadata;
  const deployment = parts.deps.informers
    .of(DeploymentKind)
    .get(keyOf({ name: deploymentNameOf(revision), ...(namespace ? { namespace } : {}) }));
  const draft = makePodAutoscaler(revision, deployment);
  return ensure(parts, PodAutoscalerKind, revision, draft, (have) => {
    const annotations = syncedAnnotations(have.metadata.annotations, draft.metadata.annotations);
    const labels = { ...have.metadata.labels, ...draft.metadata.labels };
    const same =
      isDeepStrictEqual(have.spec, draft.spec) &&
      isDeepStrictEqual(have.metadata.annotations, annotations) &&
      isDeepStrictEqual(have.metadata.labels, labels);
    return same ? undefined : { ...have, spec: draft.spec, metadata: { ...have.metadata, labels, annotations } };
  });
}

function reconcileService(parts: Parts, revision: Revision, draft: Draft<Service>): Promise<Ensured<Service>> {
  return ensure(parts, ServiceKind, revision, draft, (have) => {
    if (covers(have.spec, draft.spec) && covers(have.metadata, { labels: draft.metadata.labels })) return undefined;
    const labels = { ...have.metadata.labels, ...draft.metadata.labels };
    return { ...have, metadata: { ...have.metadata, labels }, spec: { ...have.spec, ...draft.spec } };
  });
}

function announce(
  { recorder }: ServingDeps,
  revision: Revision,
  status: RevisionStatus,
  { nodeLost, short }: { readonly nodeLost: StartFailure | undefined; readonly short: boolean },
): void {
  const event = (type: "Normal" | "Warning", reason: string, message: string): void =>
    recorder.record({ kind: RevisionKind, object: revision, type, reason, message });
  const [was, is] = [conditionOf(revision, "Ready"), conditionOf({ status }, "Ready")];
  if (is?.status === "True" && was?.status !== "True")
    event("Normal", "RevisionReady", "Revision becomes ready upon all resources being ready");
  const [failedBefore, failed] = [
    conditionOf(revision, "InstancesHealthy"),
    conditionOf({ status }, "InstancesHealthy"),
  ];
  if (!failed || failed.message === failedBefore?.message) return;
  if (failed.message === nodeLost?.message) event("Warning", "NodeLost", nodeLost?.message ?? "");
  else event("Warning", short ? "StartFailed" : "InstanceDied", `${failed.reason ?? ""}: ${failed.message ?? ""}`);
}
