/** Certificates of class cert-manager: cert-manager makes them (pkg/reconciler/certificate/certificate.go). */
import { ConfigMapKind, ServiceKind } from "../../api/core/kinds.ts";
import type { Service as CoreService } from "../../api/core/types.gen.ts";
import { isNotFound } from "../../api/meta/errors.ts";
import { keyOf } from "../../api/meta/object.ts";
import { controllerOf, isControlledBy } from "../../api/meta/owner.ts";
import { KCertificateKind } from "../../api/networking-internal/kinds.ts";
import type { Certificate, CertificateStatus, HTTP01Challenge } from "../../api/networking-internal/types.gen.ts";
import { isFalse, isTrue, isUnknown, nextConditions, type Verdict } from "../../api/serving/conditions.ts";
import { certManagerClass } from "../../api/serving/config-network.ts";
import { servingKeys as keys } from "../../api/serving/keys.ts";
import type { ControllerSpec, ReconcileResult } from "../../client/controller.ts";
import { controllerKey, selfKey, watching } from "../../client/keys.ts";
import { isServingConfig, servingConfig } from "../serving/config.ts";
import type { ServingDeps } from "../serving/deps.ts";
import { ownFacts, whenChanged } from "../serving/when-changed.ts";
import { covers, createOrGet, lookAgain, writeStatus } from "../serving/write.ts";
import { adler32 } from "./adler32.ts";
import {
  CertManagerCertificateKind,
  CertManagerChallengeKind,
  challengeHostLabel,
  makeCertManagerCertificate,
  type CertManagerCertificate,
} from "./cert-manager.ts";

type Deps = Pick<ServingDeps, "client" | "informers" | "clock" | "recorder">;

const byHost = "certificate-host";
const hostKey = (namespace: string | undefined, hash: string): string => `${namespace ?? ""}/${hash}`;

export function certManagerController(deps: Deps): ControllerSpec {
  const { informers } = deps;
  const certificates = informers.of(KCertificateKind);
  certificates.addIndex(byHost, ({ metadata, spec }) =>
    spec.dnsNames.map((host) => hostKey(metadata.namespace, String(adler32(host)))),
  );
  const config = servingConfig(informers);
  const all = (): readonly string[] => certificates.list().map(({ metadata }) => keyOf(metadata));
  return {
    name: "cert-manager-certificate",
    watches: [
      watching(KCertificateKind, whenChanged(ownFacts, selfKey)),
      watching(CertManagerCertificateKind, controllerKey(KCertificateKind)),
      watching(ServiceKind, ({ metadata }) => {
        const hash = metadata.labels?.[challengeHostLabel];
        if (hash === undefined) return [];
        return certificates.byIndex(byHost, hostKey(metadata.namespace, hash)).map((one) => keyOf(one.metadata));
      }),
      watching(ConfigMapKind, (map) => (isServingConfig(map, "config-certmanager") ? all() : [])),
    ],
    async reconcile(key) {
      const certificate = certificates.get(key);
      if (!certificate || certificate.metadata.deletionTimestamp || !isOurs(certificate)) return;
      return await reconcile(deps, certificate, config.certManager().issuerRef);
    },
  };
}

const isOurs = ({ metadata }: Certificate): boolean =>
  metadata.annotations?.[keys.certificateClass] === certManagerClass;

/** What was found out about a Certificate. */
interface Found {
  readonly verdict: Verdict;
  /** Serves, and a successor is being made. */
  readonly renewing?: boolean;
  readonly notAfter?: string;
  readonly challenges?: readonly HTTP01Challenge[];
}

/** cert-manager is looked for this often where it is missing. */
const missing: ReconcileResult = { requeueAfterMs: 30_000 };

async function reconcile(
  deps: Deps,
  certificate: Certificate,
  issuerRef: Parameters<typeof makeCertManagerCertificate>[1],
): Promise<ReconcileResult | void> {
  const made = makeCertManagerCertificate(certificate, issuerRef);
  if (!made.ok) return await tell(deps, certificate, { verdict: isFalse(made.reason, made.message) });
  let have: CertManagerCertificate;
  try {
    have = await hold(deps, certificate, made.draft);
  } catch (error) {
    if (!isNotFound(error)) throw error;
    await tell(deps, certificate, { verdict: isUnknown("CertManagerMissing", certManagerMissing) });
    return missing;
  }
  if (!isControlledBy(have, certificate)) {
    const message = `There is an existing CertManagerCertificate "${certificate.metadata.name}" that we do not own.`;
    await tell(deps, certificate, { verdict: isFalse("NotOwned", message) });
    return lookAgain;
  }
  const found = judge(have, deps.clock.now());
  const challenges = found.verdict === isTrue && !found.renewing ? [] : await challengesOf(deps, certificate);
  return await tell(deps, certificate, { ...found, challenges });
}

const certManagerMissing =
  "cert-manager is not installed: install it, or take certificate-class and external-domain-tls out of the ConfigMap config-network of knative-serving";

async function hold(
  { client, informers }: Deps,
  certificate: Certificate,
  draft: Extract<ReturnType<typeof makeCertManagerCertificate>, { readonly ok: true }>["draft"],
): Promise<CertManagerCertificate> {
  const known = informers.of(CertManagerCertificateKind).get(keyOf(certificate.metadata));
  const have = known ?? (await createOrGet(client, CertManagerCertificateKind, draft));
  if (!isControlledBy(have, certificate) || covers(have.spec, draft.spec)) return have;
  return await client.update(CertManagerCertificateKind, { ...have, spec: { ...have.spec, ...draft.spec } });
}

/** Reasons of cert-manager that pass by themselves. */
const passing: ReadonlySet<string> = new Set([
  "InProgress",
  "Pending",
  "TemporaryCertificate",
  "DoesNotExist",
  "Issuing",
]);

function judge({ status = {} }: CertManagerCertificate, nowMs: number): Found {
  const { conditions = [], notAfter, renewalTime } = status;
  const end = notAfter === undefined ? {} : { notAfter };
  const ready = conditions.find(({ type }) => type === "Ready");
  if (!ready) {
    const message = "No ready condition of Cert Manager Certificate yet.";
    return { ...end, verdict: isUnknown("NoCertManagerCertCondition", message) };
  }
  const { reason = "", message = "" } = ready;
  if (ready.status === "True") {
    const renewing = renewalTime !== undefined && Date.parse(renewalTime) < nowMs;
    return { ...end, verdict: isTrue, renewing };
  }
  const issuing = conditions.some(({ type, status: is }) => type === "Issuing" && is === "True");
  const waits = ready.status === "Unknown" || passing.has(reason) || issuing;
  return { ...end, verdict: waits ? isUnknown(reason, message) : isFalse(reason, message) };
}

/** What the solvers that cert-manager has put up for these hosts answer; none where hosts are proved by DNS, or not at all. */
async function challengesOf(deps: Deps, { metadata, spec }: Certificate): Promise<readonly HTTP01Challenge[]> {
  const { namespace = "" } = metadata;
  const hashes = new Set(spec.dnsNames.map((host) => String(adler32(host))));
  const solvers = deps.informers
    .of(ServiceKind)
    .list(namespace)
    .filter(({ metadata: { labels } }) => hashes.has(labels?.[challengeHostLabel] ?? ""));
  const found = await Promise.all(solvers.map((solver) => challengeOf(deps, solver)));
  return found.filter((one) => one !== undefined);
}

async function challengeOf({ client }: Deps, { metadata, spec }: CoreService): Promise<HTTP01Challenge | undefined> {
  const { namespace = "", name } = metadata;
  const owner = controllerOf({ metadata });
  if (owner?.kind !== CertManagerChallengeKind.kind) return undefined;
  try {
    const { dnsName, token } = (await client.get(CertManagerChallengeKind, { namespace, name: owner.name })).spec;
    const url = `http://${dnsName}/.well-known/acme-challenge/${token}`;
    const port = spec?.ports?.[0]?.targetPort ?? spec?.ports?.[0]?.port;
    const servicePort = port === undefined ? {} : { servicePort: port };
    return { url, serviceName: name, serviceNamespace: namespace, ...servicePort };
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

async function tell(deps: Deps, certificate: Certificate, found: Found): Promise<void> {
  const { generation } = certificate.metadata;
  const before = certificate.status ?? {};
  const { verdict, renewing = false, notAfter, challenges = [] } = found;
  const dependents = renewing ? ["Renewing"] : [];
  const verdicts = { Ready: verdict, ...(renewing ? { Renewing: isTrue } : {}) };
  const status: CertificateStatus = {
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    conditions: nextConditions({ dependents, info: [] }, before.conditions, verdicts, deps.clock.now()),
    ...(before.annotations ? { annotations: before.annotations } : {}),
    ...(notAfter === undefined ? {} : { notAfter }),
    ...(challenges.length > 0 ? { http01Challenges: challenges } : {}),
  };
  await writeStatus(deps, KCertificateKind, certificate, status);
}
