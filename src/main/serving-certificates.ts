/** The certificate that all controllers of a cluster serve by, kept in a Secret and renewed. */
import {
  currentCertificates,
  keepCertificates,
  type CertificateOptions,
} from "../controllers/serving-certificates/keep-certificates.ts";
import { convertedKinds } from "../install/crds/custom-kinds.ts";
import { servingCertsSecret } from "../install/names.ts";
import { apiServiceNames, webhookNames } from "../install/webhooks/names.ts";
import type { KeyedCertificate } from "../pki/certificate.ts";
import type { Cluster } from "./cluster.ts";
import { publishServingCa } from "./serving-ca.ts";

export interface CertificateKeeper {
  /** What to serve to begin with. */
  readonly certificate: KeyedCertificate;
  /** Serves what follows, until the signal. */
  keep(serve: (certificate: KeyedCertificate) => void, signal: AbortSignal): Promise<void>;
}

/** Reads or makes the certificate. Throws an ApiError when the API server does not answer. */
export async function openCertificates({ leases, clock, log, namespace }: Cluster): Promise<CertificateKeeper> {
  const host = `ebb-controller.${namespace}.svc`;
  const options: CertificateOptions = {
    secret: { namespace, name: servingCertsSecret },
    hosts: [host, `${host}.cluster.local`, "127.0.0.1"],
    callers: {
      webhooks: webhookNames,
      apiServices: apiServiceNames,
      definitions: convertedKinds(),
      service: { namespace, name: "ebb-controller" },
    },
    publish: (bundle) => publishServingCa(leases, namespace, bundle, clock.now()),
  };
  // The client of leases: renewing must not wait behind a thousand Services that are being made ready.
  const deps = { client: leases, clock, log };
  const { serving } = await currentCertificates(deps, options);
  return { certificate: serving, keep: (serve, signal) => keepCertificates(deps, options, serve, signal) };
}

/** A certificate given from outside is served as it is: whoever gives it sees to its renewal and who trusts it. */
export async function givenCertificate(
  { leases, clock, namespace }: Cluster,
  certificate: KeyedCertificate,
): Promise<CertificateKeeper> {
  await publishServingCa(leases, namespace, certificate.certificate, clock.now());
  return { certificate, keep: async () => undefined };
}
