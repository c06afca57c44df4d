/** IntegrationSink: an address whose events go to the log or to a cloud (eventing pkg/reconciler/integration/sink). */
import { isFalse, nextConditions, type Verdict } from "../../api/serving/conditions.ts";
import { IntegrationSinkKind } from "../../api/sinks/kinds.ts";
import type { AwsKeys, AwsSinkAction } from "../../api/eventing/sink-engine.ts";
import type { IntegrationSink, SinkAws } from "../../api/sinks/types.gen.ts";
import type { ControllerSpec, ReconcileResult } from "../../client/controller.ts";
import { selfKey, watching } from "../../client/keys.ts";
import { ownFacts, whenChanged } from "../serving/when-changed.ts";
import { observing, writeStatus } from "../serving/write.ts";
import { awsSecretRefs, needsSecret } from "./aws-credentials.ts";
import type { EventingDeps } from "./deps.ts";
import { resolveSecrets } from "./source-secrets.ts";
import {
  addressableVerdict,
  addressStatus,
  closeSink,
  openSink,
  releaseSink,
  type Opened,
  type TakingKind,
} from "./sink-parts.ts";
import { policiesOf, watchPolicies, type PolicyFacts } from "./policies.ts";
import { askAgainMs, observedOf } from "./status-parts.ts";

const taking: TakingKind<IntegrationSink> = {
  kind: IntegrationSinkKind,
  host: "integration-sink",
  finalizer: "integrationsinks.sinks.knative.dev",
};
const conditions = [
  "Addressable",
  "DeploymentReady",
  "EventPoliciesReady",
  "CertificateReady",
  "TrustBundlePropagated",
] as const;

export function integrationSinkController(deps: EventingDeps): ControllerSpec {
  const sinks = deps.informers.of(IntegrationSinkKind);
  return {
    name: "eventing-integration-sink",
    watches: [watching(IntegrationSinkKind, whenChanged(ownFacts, selfKey)), ...watchPolicies(sinks)],
    async reconcile(key) {
      const sink = sinks.get(key);
      if (!sink) return;
      if (sink.metadata.deletionTimestamp) return releaseSink(deps, taking, sink);
      return observing(deps, IntegrationSinkKind, sink, () => reconcileSink(deps, sink));
    },
  };
}

async function reconcileSink(deps: EventingDeps, sink: IntegrationSink): Promise<ReconcileResult | void> {
  const policies = policiesOf(deps, IntegrationSinkKind, sink);
  const opened = await open(deps, sink, policies);
  const verdicts = {
    Addressable: addressableVerdict(opened),
    // There are no pods: what writes runs in ebb itself.
    DeploymentReady: "failure" in opened ? isFalse("NotServed", opened.failure) : withoutPods,
    EventPoliciesReady: policies.verdict,
    CertificateReady: withoutTls,
    TrustBundlePropagated: withoutTls,
  };
  const set = { dependents: conditions, info: [] };
  await writeStatus(deps, IntegrationSinkKind, sink, {
    ...observedOf(sink),
    conditions: nextConditions(set, sink.status?.conditions, verdicts, deps.clock.now()),
    ...addressStatus(opened),
    ...policies.status,
  });
  if ("failure" in opened) return { requeueAfterMs: askAgainMs };
  // The Secret is not watched.
  if (sink.spec.aws) return { requeueAfterMs: readAgainMs };
}

const readAgainMs = 30_000;

async function open(deps: EventingDeps, sink: IntegrationSink, policies: PolicyFacts): Promise<Opened> {
  const { log, aws } = sink.spec;
  if (log) return openSink(deps, taking, sink, { action: { kind: "log", log }, policies });
  const action = aws ? await awsAction(deps, sink, aws) : "it names nothing to write to";
  if (typeof action !== "string") return openSink(deps, taking, sink, { action, policies });
  await closeSink(deps, taking, sink);
  return { failure: action };
}

/** What to do with events, or why that cannot be done yet. */
async function awsAction(
  { client }: EventingDeps,
  { metadata }: IntegrationSink,
  aws: SinkAws,
): Promise<AwsSinkAction | string> {
  if (!aws.auth?.secret?.ref?.name) return needsSecret;
  const refs = awsSecretRefs(aws.auth);
  const resolved = await resolveSecrets(client, metadata.namespace ?? "", { spec: { aws: {} }, refs });
  if (resolved.kind === "missing") return resolved.message;
  const { credentials } = (resolved.settings as { readonly aws: { readonly credentials: AwsKeys } }).aws;
  const { s3, sqs, sns } = aws;
  if (s3) return { kind: "aws", service: "s3", settings: s3, credentials };
  if (sqs) return { kind: "aws", service: "sqs", settings: sqs, credentials };
  return sns ? { kind: "aws", service: "sns", settings: sns, credentials } : "it names no bucket, queue or topic";
}

const withoutPods: Verdict = { status: "True", reason: "InProcess", message: "it runs in ebb itself" };
const withoutTls: Verdict = { status: "True", reason: "TransportEncryptionDisabled", message: "" };
