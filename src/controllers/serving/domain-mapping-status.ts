/** A DomainMapping's status (pkg/apis/serving/v1beta1/domainmapping_lifecycle.go). */
import type { Ingress } from "../../api/networking-internal/types.gen.ts";
import {
  conditionOf,
  isFalse,
  isObserved,
  isTrue,
  isUnknown,
  nextConditions,
  verdictOf,
  type ConditionSet,
  type Verdict,
} from "../../api/serving/conditions.ts";
import type { DomainMapping, DomainMappingStatus } from "../../api/serving/types.gen.ts";

export interface DomainMappingFacts {
  readonly mapping: DomainMapping;
  readonly claim: "held" | "taken" | { readonly failure: string };
  /** Undefined: not looked at, since the domain is not this mapping's. */
  readonly target: { readonly ok: boolean; readonly problem?: string } | undefined;
  /** `foreign`: a KIngress of that name belongs to somebody else. */
  readonly ingress: Ingress | "foreign" | undefined;
  /** CertificateProvisioned; undefined: as before, since the domain is not this mapping's. */
  readonly certificate: Verdict | undefined;
  readonly url: string;
  readonly now: number;
}

const conditionSet: ConditionSet = {
  dependents: ["DomainClaimed", "ReferenceResolved", "IngressReady", "CertificateProvisioned"],
  info: [],
};

export function domainMappingStatus(facts: DomainMappingFacts): DomainMappingStatus {
  const { mapping, target, url, now } = facts;
  const verdicts = {
    DomainClaimed: claimVerdict(facts.claim),
    ReferenceResolved: target && (target.ok ? isTrue : isFalse("ResolveFailed", target.problem ?? "")),
    IngressReady: ingressVerdict(facts),
    CertificateProvisioned: facts.certificate,
  };
  return {
    ...(mapping.metadata.generation === undefined ? {} : { observedGeneration: mapping.metadata.generation }),
    conditions: nextConditions(conditionSet, mapping.status?.conditions, verdicts, now),
    ...(mapping.status?.annotations ? { annotations: mapping.status.annotations } : {}),
    url,
    address: { url },
  };
}

const notConfigured: Verdict = isUnknown("IngressNotConfigured", "Ingress has not yet been reconciled.");

function claimVerdict(claim: DomainMappingFacts["claim"]): Verdict {
  if (claim === "held") return isTrue;
  if (claim === "taken")
    return isFalse("DomainAlreadyClaimed", "The domain name is already in use by another DomainMapping");
  return isFalse("DomainClaimFailed", claim.failure);
}

/** What cannot be configured now says so on a new spec; a seen one keeps what its KIngress last said. */
function ingressVerdict({ mapping, ingress }: DomainMappingFacts): Verdict | undefined {
  if (ingress === "foreign")
    return isFalse(
      "NotOwned",
      `There is an existing Ingress ${JSON.stringify(mapping.metadata.name)} that we do not own.`,
    );
  if (ingress === undefined) return isObserved(mapping) ? undefined : notConfigured;
  const ready = conditionOf(ingress, "Ready");
  return isObserved(ingress) && ready ? verdictOf(ready) : notConfigured;
}
