import { isDeepStrictEqual } from "node:util";
import { ConfigMapKind, ServiceKind } from "../../api/core/kinds.ts";
import { isNotFound } from "../../api/meta/errors.ts";
import { keyOf } from "../../api/meta/object.ts";
import { isControlledBy } from "../../api/meta/owner.ts";
import { ClusterDomainClaimKind, KCertificateKind, KIngressKind } from "../../api/networking-internal/kinds.ts";
import type { Ingress } from "../../api/networking-internal/types.gen.ts";
import type { Verdict } from "../../api/serving/conditions.ts";
import { servingKeys } from "../../api/serving/keys.ts";
import { DomainMappingKind, KnativeServiceKind, RouteKind } from "../../api/serving/kinds.ts";
import type { DomainMapping } from "../../api/serving/types.gen.ts";
import type { ControllerSpec, ReconcileResult } from "../../client/controller.ts";
import type { Informers } from "../../client/informer.ts";
import { controllerKey, selfKey, watching } from "../../client/keys.ts";
import {
  holdCertificates,
  judgeCertificates,
  tlsNotEnabled,
  wantsCertificates,
  type HostTls,
} from "../certificates/host-certificates.ts";
import { makeDomainCertificate } from "../certificates/make-certificate.ts";
import { isServingConfig, servingConfig, type ServingConfig } from "./config.ts";
import type { ServingDeps } from "./deps.ts";
import { domainMappingStatus, type DomainMappingFacts } from "./domain-mapping-status.ts";
import { resolveTarget, type Referent, type ResolvedTarget } from "./domain-target.ts";
import { makeDomainIngress } from "./make-domain-ingress.ts";
import { httpOptionOf } from "./http-option.ts";
import { ownFacts, whenChanged } from "./when-changed.ts";
import { createOrGet, lookAgain, observing, writeStatus } from "./write.ts";

interface Parts {
  readonly deps: ServingDeps;
  readonly config: ServingConfig;
}

const byReference = "serving-domain-reference";
const byName = "serving-domain-name";
/** Held while the mapping has a claim that goes with it: a claim is cluster-wide, so garbage collection cannot follow. */
const finalizer = "domainmappings.serving.knative.dev";

const referenceKey = (apiVersion: string, kind: string, key: string): string =>
  `${apiVersion.split("/")[0]}/${kind}/${key}`;

/** Maps a domain of the user's to a Service, Route or core Service, if the domain is the namespace's to map. */
export function domainMappingController(deps: ServingDeps): ControllerSpec {
  const mappings = deps.informers.of(DomainMappingKind);
  mappings.addIndex(byName, ({ metadata }) => [metadata.name]);
  mappings.addIndex(byReference, ({ metadata, spec: { ref } }) => [
    referenceKey(ref.apiVersion ?? "", ref.kind, `${metadata.namespace}/${ref.name}`),
  ]);
  const referring = (apiVersion: string, kind: string, key: string): readonly string[] =>
    mappings.byIndex(byReference, referenceKey(apiVersion, kind, key)).map(({ metadata }) => keyOf(metadata));
  const parts: Parts = { deps, config: servingConfig(deps.informers) };
  return {
    name: "knative-domain-mapping",
    watches: [
      watching(DomainMappingKind, whenChanged(ownFacts, selfKey)),
      watching(ClusterDomainClaimKind, ({ metadata }) =>
        mappings.byIndex(byName, metadata.name).map((mapping) => keyOf(mapping.metadata)),
      ),
      watching(KIngressKind, controllerKey(DomainMappingKind)),
      watching(KCertificateKind, controllerKey(DomainMappingKind)),
      watching(KnativeServiceKind, ({ metadata }) => referring("serving.knative.dev", "Service", keyOf(metadata))),
      watching(RouteKind, ({ metadata }) => referring("serving.knative.dev", "Route", keyOf(metadata))),
      watching(ServiceKind, ({ metadata }) => referring("v1", "Service", keyOf(metadata))),
      watching(ConfigMapKind, (map) =>
        isServingConfig(map, "config-network") ? mappings.list().map(({ metadata }) => keyOf(metadata)) : [],
      ),
    ],
    async reconcile(key) {
      const mapping = mappings.get(key);
      if (!mapping) return;
      if (mapping.metadata.deletionTimestamp) return release(deps, mapping);
      return observing(deps, DomainMappingKind, mapping, () => reconcileMapping(parts, mapping));
    },
  };
}

async function reconcileMapping(parts: Parts, mapping: DomainMapping): Promise<ReconcileResult | void> {
  const { deps, config } = parts;
  const claim = await claimDomain(parts, mapping);
  const target = claim === "held" ? resolveTarget(mapping, referentOf(deps.informers, mapping)) : undefined;
  const tls = claim === "held" ? await tlsOf(parts, mapping) : undefined;
  const ingress = target?.ok && tls ? await reconcileIngress(parts, mapping, target.target, tls) : undefined;
  const isSecure = mapping.spec.tls !== undefined || tls?.secure.has(mapping.metadata.name) === true;
  const url = isSecure
    ? `https://${mapping.metadata.name}`
    : urlOf(mapping, config.network().defaultExternalScheme, deps.externalPort());
  const certificate = tls?.verdict;
  const status = domainMappingStatus({ mapping, claim, target, ingress, certificate, url, now: deps.clock.now() });
  await writeStatus(deps, DomainMappingKind, mapping, status);
  if (ingress === "foreign") return lookAgain;
}

/** The certificate that the mapping names, or one that is made for it. */
async function tlsOf({ deps, config }: Parts, mapping: DomainMapping): Promise<HostTls> {
  const { name, namespace = "" } = mapping.metadata;
  const secretName = mapping.spec.tls?.secretName;
  if (secretName)
    return {
      ...tlsNotEnabled(),
      verdict: externallyProvided,
      tls: [{ hosts: [name], secretName, secretNamespace: namespace }],
      secure: new Set([name]),
      isComplete: true,
    };
  const network = config.network();
  if (!wantsCertificates(network, mapping)) return tlsNotEnabled();
  const draft = makeDomainCertificate(mapping, network.certificateClass);
  const before = deps.informers.of(KIngressKind).get(keyOf(mapping.metadata));
  return judgeCertificates(await holdCertificates(deps, mapping, [draft]), network, before);
}

const externallyProvided: Verdict = {
  status: "True",
  reason: "CertificateExternallyProvided",
  message: "TLS certificate was provided externally",
};

function urlOf({ metadata }: DomainMapping, scheme: string, port: number | undefined): string {
  const usual = port === undefined || port === 80 || port === 443;
  return `${scheme}://${metadata.name}${usual ? "" : `:${port}`}`;
}

async function claimDomain({ deps, config }: Parts, mapping: DomainMapping): Promise<DomainMappingFacts["claim"]> {
  const { client, informers } = deps;
  const { name, namespace = "" } = mapping.metadata;
  const have = informers.of(ClusterDomainClaimKind).get(name);
  if (have) return have.spec.namespace === namespace ? "held" : "taken";
  if (!config.network().autocreateClusterDomainClaims) return { failure: unclaimed(name, namespace) };
  await holdFinalizer(deps, mapping);
  const made = await createOrGet(client, ClusterDomainClaimKind, { metadata: { name }, spec: { namespace } });
  return made.spec.namespace === namespace ? "held" : "taken";
}

// Upstream says here that another DomainMapping has it (MarkDomainClaimNotOwned), which nobody could act upon.
const unclaimed = (name: string, namespace: string): string =>
  `No ClusterDomainClaim gives ${name} to namespace ${namespace}: an administrator makes one, or sets autocreate-cluster-domain-claims to "true" in the ConfigMap config-network of knative-serving`;

async function holdFinalizer({ client }: ServingDeps, mapping: DomainMapping): Promise<void> {
  const { name, namespace = "", finalizers = [], resourceVersion } = mapping.metadata;
  if (finalizers.includes(finalizer)) return;
  const metadata = { finalizers: [...finalizers, finalizer], ...(resourceVersion ? { resourceVersion } : {}) };
  await client.patch(DomainMappingKind, { namespace, name }, { type: "merge", body: { metadata } });
}

/** Gives an automatic claim back, so that another namespace can have the domain. */
async function release({ client, informers }: ServingDeps, mapping: DomainMapping): Promise<void> {
  const { name, namespace = "", finalizers = [], resourceVersion } = mapping.metadata;
  if (!finalizers.includes(finalizer)) return;
  const claim = informers.of(ClusterDomainClaimKind).get(name);
  if (claim?.spec.namespace === namespace) {
    await client.delete(ClusterDomainClaimKind, { name }).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
  }
  const metadata = {
    finalizers: finalizers.filter((one) => one !== finalizer),
    ...(resourceVersion ? { resourceVersion } : {}),
  };
  await client.patch(DomainMappingKind, { namespace, name }, { type: "merge", body: { metadata } });
}

function referentOf(informers: Informers, { metadata, spec: { ref } }: DomainMapping): Referent {
  const key = `${metadata.namespace}/${ref.name}`;
  const [group = ""] = (ref.apiVersion ?? "").split("/");
  if (ref.apiVersion === "v1" && ref.kind === "Service")
    return { kind: informers.of(ServiceKind).get(key) ? "service" : "missing" };
  if (group !== KnativeServiceKind.group || (ref.kind !== "Service" && ref.kind !== "Route"))
    return { kind: "unsupported" };
  const object = ref.kind === "Service" ? informers.of(KnativeServiceKind).get(key) : informers.of(RouteKind).get(key);
  return object ? { kind: "addressable", address: object.status?.address } : { kind: "missing" };
}

async function reconcileIngress(
  { deps, config }: Parts,
  mapping: DomainMapping,
  target: ResolvedTarget,
  { tls, challenges, isComplete }: HostTls,
): Promise<Ingress | "foreign"> {
  const network = config.network();
  const draft = makeDomainIngress({
    mapping,
    target,
    ingressClass: mapping.metadata.annotations?.[servingKeys.ingressClass] ?? network.ingressClass,
    // Without a certificate there is nothing to redirect to.
    httpOption: isComplete ? (httpOptionOf(mapping.metadata.annotations) ?? network.httpProtocol) : "Enabled",
    tls,
    challenges,
  });
  const have =
    deps.informers.of(KIngressKind).get(keyOf(mapping.metadata)) ??
    (await createOrGet(deps.client, KIngressKind, draft));
  if (!isControlledBy(have, mapping)) return "foreign";
  const { labels = {}, annotations = {} } = draft.metadata;
  const same =
    isDeepStrictEqual(have.spec, draft.spec) &&
    isDeepStrictEqual(have.metadata.labels, labels) &&
    isDeepStrictEqual(have.metadata.annotations, annotations);
  if (same) return have;
  return deps.client.update(KIngressKind, {
    ...have,
    metadata: { ...have.metadata, labels, annotations },
    spec: draft.spec,
  });
}
