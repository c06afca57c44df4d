import { CustomResourceDefinitionKind } from "../../api/apiextensions/kinds.ts";
import { ConfigMapKind } from "../../api/core/kinds.ts";
import { isNotFound } from "../../api/meta/errors.ts";
import { kind } from "../../api/meta/kind.ts";
import type { KubeObject } from "../../api/meta/object.ts";
import { certManagerConfig } from "../../api/serving/config-certmanager.ts";
import { certManagerClass, networkConfig } from "../../api/serving/config-network.ts";
import type { ConfigData } from "../../api/serving/config-values.ts";
import { servingNamespace } from "../../api/serving/keys.ts";
import type { Client } from "../../client/client.ts";
import { fine, problem, type Check } from "./finding.ts";

interface ClusterIssuer extends KubeObject {
  readonly status?: {
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly message?: string }[];
  };
}

const ClusterIssuerKind = kind<ClusterIssuer>({
  group: "cert-manager.io",
  version: "v1",
  kind: "ClusterIssuer",
  plural: "clusterissuers",
  namespaced: false,
});

/** Where Routes are to have certificates by themselves: whether there is a cert-manager to make them, and an issuer. */
export const checkCertificates: Check = async ({ client }) => {
  const { externalDomainTls, certificateClass } = networkConfig(await settings(client, "config-network"));
  if (!externalDomainTls) return [];
  if (certificateClass !== certManagerClass)
    return [fine(`certificates are made by class ${certificateClass}, which is not ebb's to look at`)];
  const name = "certificates.cert-manager.io";
  if (!(await unlessMissing(client.get(CustomResourceDefinitionKind, { name }))))
    return [
      problem(
        "external-domain-tls is on, and cert-manager is not installed: services are served by http alone",
        'install cert-manager (https://cert-manager.io/docs/installation), or set external-domain-tls in the ConfigMap config-network of knative-serving to "Disabled"',
      ),
    ];
  return [await judgeIssuer(client)];
};

async function judgeIssuer(client: Client) {
  const { issuerRef } = certManagerConfig(await settings(client, "config-certmanager"));
  const { name, kind: issuerKind } = issuerRef;
  if (issuerKind !== ClusterIssuerKind.kind)
    return fine(`certificates are made by ${issuerKind} ${name} of each namespace`);
  const issuer = await unlessMissing(client.get(ClusterIssuerKind, { name }));
  if (!issuer)
    return problem(
      `external-domain-tls is on, and there is no ClusterIssuer ${name}`,
      `make it, or name another as issuerRef in the ConfigMap config-certmanager of knative-serving ("kind: ClusterIssuer" and "name: …")`,
    );
  const ready = issuer.status?.conditions?.find(({ type }) => type === "Ready");
  if (ready?.status === "True") return fine(`certificates are made by ClusterIssuer ${name}`);
  return problem(
    `ClusterIssuer ${name} is not ready: ${ready?.message ?? "cert-manager has said nothing about it"}`,
    ready
      ? `"kubectl describe clusterissuer ${name}" says more`
      : 'does cert-manager run? "kubectl get pods -n cert-manager"',
  );
}

const settings = async (client: Client, name: string): Promise<ConfigData> =>
  (await unlessMissing(client.get(ConfigMapKind, { namespace: servingNamespace, name })))?.data ?? {};

async function unlessMissing<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
