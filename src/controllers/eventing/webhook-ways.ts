/** How the world finds a webhook on a cluster: by a host of the routers', and by a name inside. */
import { ServiceKind } from "../../api/core/kinds.ts";
import type { Service } from "../../api/core/types.gen.ts";
import { isNotFound } from "../../api/meta/errors.ts";
import type { Kind } from "../../api/meta/kind.ts";
import type { Draft, KubeObject } from "../../api/meta/object.ts";
import { controllerReference, isControlledBy } from "../../api/meta/owner.ts";
import { KIngressKind } from "../../api/networking-internal/kinds.ts";
import type { Ingress } from "../../api/networking-internal/types.gen.ts";
import { servingKeys } from "../../api/serving/keys.ts";
import type { Client } from "../../client/client.ts";
import { covers, createOrGet } from "../serving/write.ts";
import type { EventingDeps } from "./deps.ts";

export interface WebhookPlaces {
  /** Service in front of where they are taken. */
  readonly service: { readonly namespace: string; readonly name: string };
  /** How clients outside the cluster find a webhook; undefined where the domain is the cluster's own. */
  wayOf(webhook: { readonly namespace: string; readonly name: string }): WebhookWay | undefined;
}

export interface WebhookWay {
  readonly host: string;
  /** Of the router that is to lead there. */
  readonly ingressClass: string;
}

/** Name of the Service, and of the Ingress, of a source; hosts begin with it. */
export const webhookName = (source: string): string => `${source}-webhook`;

/** Brings what leads to the source in line; it goes with the source. Does nothing where the router does this itself. */
export async function makeWebhookWays<T extends KubeObject>(
  deps: EventingDeps,
  kind: Kind<T>,
  source: T,
): Promise<void> {
  const { webhooks, client, informers } = deps;
  if (!webhooks) return;
  const { namespace = "", name } = source.metadata;
  const metadata = { name: webhookName(name), namespace, ownerReferences: [controllerReference(kind, source)] };
  const { service } = webhooks;
  if (!informers.of(ServiceKind).get(`${namespace}/${metadata.name}`)) {
    const ports = [{ name: "http", port: 80, protocol: "TCP" }];
    const externalName = `${service.name}.${service.namespace}.svc.cluster.local`;
    const spec = { type: "ExternalName", externalName, sessionAffinity: "None", ports };
    await createOrGet(client, ServiceKind, { metadata, spec } as Draft<Service>);
  }
  const way = webhooks.wayOf({ namespace, name });
  const known = await ingressOf(client, namespace, metadata.name);
  if (way === undefined) {
    if (known && isControlledBy(known, source)) await client.delete(KIngressKind, { namespace, name: metadata.name });
    return;
  }
  const wanted = makeWebhookIngress(way, { namespace, name: metadata.name }, service);
  if (!known) await createOrGet(client, KIngressKind, { ...wanted, metadata: { ...metadata, ...wanted.metadata } });
  else if (!isControlledBy(known, source))
    throw new Error(`an Ingress "${metadata.name}" is there that is not this source's: use another name`);
  else if (!covers(known.spec, wanted.spec)) await client.update(KIngressKind, { ...known, spec: wanted.spec });
}

async function ingressOf(client: Client, namespace: string, name: string): Promise<Ingress | undefined> {
  try {
    return await client.get(KIngressKind, { namespace, name });
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** Requests go on under the webhook's name inside, by which it is found. */
function makeWebhookIngress(
  { host, ingressClass }: WebhookWay,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  { namespace: serviceNamespace, name: serviceName }: WebhookPlaces["service"],
): Pick<Ingress, "spec"> & { readonly metadata: { readonly annotations: Readonly<Record<string, string>> } } {
  const split = {
    serviceName,
    serviceNamespace,
    servicePort: 80,
    percent: 100,
    appendHeaders: { "K-Original-Host": host },
  };
  const paths = [{ rewriteHost: `${name}.${namespace}.svc.cluster.local`, splits: [split] }];
  return {
    metadata: { annotations: { [servingKeys.ingressClass]: ingressClass } },
    spec: { httpOption: "Enabled", rules: [{ hosts: [host], visibility: "ExternalIP", http: { paths } }] },
  };
}
