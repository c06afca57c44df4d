/** ContainerSource: a Deployment of the user's program and a SinkBinding (eventing pkg/reconciler/containersource). */
import { DeploymentKind } from "../../api/apps/kinds.ts";
import type { Deployment } from "../../api/apps/types.gen.ts";
import { apiVersionOf } from "../../api/meta/kind.ts";
import type { Draft } from "../../api/meta/object.ts";
import type { ObjectMeta } from "../../api/meta/types.gen.ts";
import { controllerReference, isControlledBy } from "../../api/meta/owner.ts";
import { childName } from "../../api/serving/child-name.ts";
import { conditionOf, isFalse, isTrue, isUnknown, verdictOf, type Verdict } from "../../api/serving/conditions.ts";
import { ContainerSourceKind, SinkBindingKind } from "../../api/sources/kinds.ts";
import type { ContainerSource, SinkBinding } from "../../api/sources/types.gen.ts";
import type { ControllerSpec, ReconcileResult } from "../../client/controller.ts";
import { controllerKey, selfKey, watching } from "../../client/keys.ts";
import { ownFacts, whenChanged } from "../serving/when-changed.ts";
import { covers, createOrGet, lookAgain, observing, writeStatus } from "../serving/write.ts";
import { watchAddresses } from "./addresses.ts";
import { bindSink } from "../../api/sources/bind-sink.ts";
import type { EventingDeps } from "./deps.ts";
import { watchFeatures } from "./features.ts";
import { identityOf } from "./identity.ts";
import { resolveSink, sourceStatus, targetOf } from "./source-status.ts";

export function containerSourceController(deps: EventingDeps): ControllerSpec {
  const sources = deps.informers.of(ContainerSourceKind);
  return {
    name: "eventing-container-source",
    watches: [
      watching(ContainerSourceKind, whenChanged(ownFacts, selfKey)),
      watching(DeploymentKind, controllerKey(ContainerSourceKind)),
      watching(SinkBindingKind, controllerKey(ContainerSourceKind)),
      watchFeatures(sources),
      ...watchAddresses(sources, "eventing-container-sink", ({ spec }) => [spec.sink]),
    ],
    async reconcile(key) {
      const source = sources.get(key);
      if (!source || source.metadata.deletionTimestamp) return;
      return observing(deps, ContainerSourceKind, source, () => reconcileSource(deps, source));
    },
  };
}

async function reconcileSource(deps: EventingDeps, source: ContainerSource): Promise<ReconcileResult | void> {
  const sink = resolveSink(deps, ContainerSourceKind, source);
  const target = targetOf(sink);
  const binding = await ensureBinding(deps, source);
  // Without a sink a program would be started to fail.
  const url = target && deps.urlForPrograms(target.url);
  const deployment = url === undefined ? undefined : await ensureDeployment(deps, source, url);
  const bound = conditionOf(binding, "Ready");
  await writeStatus(
    deps,
    ContainerSourceKind,
    source,
    sourceStatus(source, {
      sink,
      identity: await identityOf(deps, ContainerSourceKind, source),
      conditions: ["SinkBindingReady", "ReceiveAdapterReady"],
      verdicts: {
        SinkBindingReady: bound ? verdictOf(bound) : isUnknown("SinkBindingNotReady", "not yet reconciled"),
        ReceiveAdapterReady: adapterVerdict(deployment, source),
      },
      attributes: [],
      now: deps.clock.now(),
    }),
  );
  if (deployment && !isControlledBy(deployment, source)) return lookAgain;
}

function adapterVerdict(deployment: Deployment | undefined, source: ContainerSource): Verdict {
  if (!deployment) return isUnknown("SinkNotProvided", "it is started when there is a sink");
  if (!isControlledBy(deployment, source))
    return isFalse("NotOwned", `a Deployment "${deployment.metadata.name}" is there that is not this source's`);
  const available = deployment.status?.conditions?.find(({ type }) => type === "Available");
  if (available?.status === "True") return isTrue;
  return isUnknown("DeploymentUnavailable", available?.message ?? "its pods are not ready yet");
}

const labelsOf = ({ metadata }: ContainerSource) => ({
  "sources.knative.dev/source": "container-source-controller",
  "sources.knative.dev/containerSource": metadata.name,
});

const ownedBy = (source: ContainerSource, suffix: string) => ({
  name: childName(source.metadata.name, suffix),
  namespace: source.metadata.namespace ?? "",
  labels: labelsOf(source),
  ownerReferences: [controllerReference(ContainerSourceKind, source)],
});

async function ensureBinding({ client, informers }: EventingDeps, source: ContainerSource): Promise<SinkBinding> {
  const metadata = ownedBy(source, "-sinkbinding");
  const { sink, ceOverrides } = source.spec;
  const spec = {
    ...(sink ? { sink } : {}),
    ...(ceOverrides ? { ceOverrides } : {}),
    subject: {
      apiVersion: apiVersionOf(DeploymentKind),
      kind: DeploymentKind.kind,
      namespace: metadata.namespace,
      name: childName(source.metadata.name, "-deployment"),
    },
  };
  const known = informers.of(SinkBindingKind).get(`${metadata.namespace}/${metadata.name}`);
  const have = known ?? (await createOrGet(client, SinkBindingKind, { metadata, spec }));
  if (!isControlledBy(have, source) || (covers(have.spec, spec) && covers(spec, have.spec))) return have;
  return client.update(SinkBindingKind, { ...have, spec });
}

/** The variables are in from the start, so that no pod begins without them; the SinkBinding finds nothing to change. */
async function ensureDeployment(
  { client, informers }: EventingDeps,
  source: ContainerSource,
  url: string,
): Promise<Deployment> {
  const draft = makeDeployment(source, url);
  const key = `${source.metadata.namespace}/${draft.metadata.name}`;
  const have = informers.of(DeploymentKind).get(key) ?? (await createOrGet(client, DeploymentKind, draft));
  if (!isControlledBy(have, source) || covers(have.spec?.template, draft.spec?.template)) return have;
  return client.update(DeploymentKind, { ...have, spec: { ...have.spec, template: draft.spec.template } });
}

function makeDeployment(source: ContainerSource, url: string): Draft<Deployment> {
  const { template, ceOverrides } = source.spec;
  const labels = labelsOf(source);
  const pod = template.spec ?? { containers: [] };
  return {
    metadata: ownedBy(source, "-deployment"),
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: {
        ...template,
        metadata: { ...template.metadata, labels: { ...template.metadata?.labels, ...labels } } as ObjectMeta,
        spec: bindSink(pod, { url, ...(ceOverrides ? { overrides: ceOverrides } : {}) }),
      },
    },
  };
}
