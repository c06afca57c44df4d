/** IntegrationSink: an address whose events go to the log (eventing pkg/reconciler/integration/sink). */
import { isFalse, nextConditions, type Verdict } from "../../api/serving/conditions.ts";
import { IntegrationSinkKind } from "../../api/sinks/kinds.ts";
import type { IntegrationSink } from "../../api/sinks/types.gen.ts";
import type { ControllerSpec, ReconcileResult } from "../../client/controller.ts";
import { selfKey, watching } from "../../client/keys.ts";
import { ownFacts, whenChanged } from "../serving/when-changed.ts";
import { observing, writeStatus } from "../serving/write.ts";
import type { EventingDeps } from "./deps.ts";
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
}

async function open(deps: EventingDeps, sink: IntegrationSink, policies: PolicyFacts): Promise<Opened> {
  const { log } = sink.spec;
  if (log) return openSink(deps, taking, sink, { action: { kind: "log", log }, policies });
  await closeSink(deps, taking, sink);
  return { failure: "sinks of a cloud are not served here yet: only spec.log is" };
}

const withoutPods: Verdict = { status: "True", reason: "InProcess", message: "it runs in ebb itself" };
const withoutTls: Verdict = { status: "True", reason: "TransportEncryptionDisabled", message: "" };
