/** KIngress, Certificate and ClusterDomainClaim as the API server serves them (knative.dev/networking pkg/apis/networking/v1alpha1). */
import { nameColumn } from "../meta/columns.ts";
import type { KindDefinition } from "../meta/definition.ts";
import { schemaOf } from "../schemas.ts";
import { fillStructs } from "../serving/go-structs.ts";
import { readyColumns, servingKindFacts } from "../serving/columns.ts";
import {
  each,
  missingField,
  outOfBounds,
  problem,
  toFieldErrors,
  within,
  type Problem,
  type Problems,
} from "../serving/problems.ts";
import { ClusterDomainClaimKind, KCertificateKind, KIngressKind } from "./kinds.ts";
import type {
  Certificate,
  CertificateSpec,
  ClusterDomainClaim,
  HTTPIngressPath,
  Ingress,
  IngressRule,
} from "./types.gen.ts";

export const kIngressDefinition: KindDefinition<Ingress> = {
  ...servingKindFacts,
  kind: KIngressKind,
  schema: () => schemaOf("networking.internal.v1alpha1.Ingress"),
  columns: [nameColumn, ...readyColumns],
  prepare: (ingress) => fillStructs(ingress, "spec"),
  validate: ({ spec }) =>
    toFieldErrors(
      within("spec", [
        ...((spec.rules ?? []).length === 0 ? [missingField("rules")] : []),
        ...each("rules", spec.rules, checkRule),
      ]),
    ),
};

function checkRule(rule: IngressRule): Problems {
  const problems: Problem[] = [];
  if ((rule.hosts ?? []).length === 0) problems.push(missingField("hosts"));
  if (!rule.http) return [...problems, missingField("http")];
  if (!rule.http.paths?.length) problems.push(missingField("http.paths"));
  return [...problems, ...within("http", each("paths", rule.http.paths ?? [], checkPath))];
}

/** Percentages of a path add up to 100; a single split may leave its percentage out. */
function checkPath(path: HTTPIngressPath): Problems {
  const { splits = [] } = path;
  if (splits.length === 0) return [missingField("splits")];
  const problems = each("splits", splits, (split) => [
    ...(["serviceName", "serviceNamespace", "servicePort"] as const)
      .filter((field) => !split[field])
      .map((field) => missingField(field)),
    ...(split.percent !== undefined && (split.percent < 0 || split.percent > 100)
      ? [outOfBounds(split.percent, 0, 100, "percent")]
      : []),
  ]);
  const sum = splits.reduce((total, split) => total + (split.percent ?? 0), 0);
  const alone = splits.length === 1 && !splits[0]?.percent;
  if (sum !== 100 && !alone)
    return [...problems, problem(`traffic split percentage must total to 100, but was ${sum}`, ["splits"])];
  return problems;
}

export const clusterDomainClaimDefinition: KindDefinition<ClusterDomainClaim> = {
  ...servingKindFacts,
  statusSubresource: false,
  kind: ClusterDomainClaimKind,
  schema: () => schemaOf("networking.internal.v1alpha1.ClusterDomainClaim"),
  columns: [nameColumn],
  prepare: (claim) => fillStructs(claim, "spec"),
  validate: ({ spec }) => toFieldErrors(spec.namespace ? [] : [missingField("spec.namespace")]),
};

export const kCertificateDefinition: KindDefinition<Certificate> = {
  ...servingKindFacts,
  kind: KCertificateKind,
  schema: () => schemaOf("networking.internal.v1alpha1.Certificate"),
  columns: [nameColumn, ...readyColumns],
  prepare: (certificate) => fillStructs(certificate, "spec"),
  validate: ({ spec }) => toFieldErrors(within("spec", checkCertificate(spec))),
};

function checkCertificate({ dnsNames = [], domain, secretName }: Partial<CertificateSpec>): Problems {
  const under = (name: string): boolean => name === domain || name.endsWith(`.${domain}`);
  return [
    ...(dnsNames.length === 0 ? [missingField("dnsNames")] : []),
    ...dnsNames.flatMap((name, i) => (name === "" ? [problem(`invalid value: ${name}`, [`dnsNames[${i}]`])] : [])),
    ...(secretName ? [] : [missingField("secretName")]),
    ...(domain && dnsNames.length > 0 && !dnsNames.some(under)
      ? [
          problem("invalid value: domain must be a suffix of, or match exactly, at least one entry in dnsNames", [
            "domain",
          ]),
        ]
      : []),
  ];
}
