/** Sources on a cluster: shared between the replicas of ebb-events, webhooks taken by all of them. */
import type { SenderIdentity } from "../api/eventing/access.ts";
import { ConfigMapKind } from "../api/core/kinds.ts";
import { clusterLocalDomain, domainOf } from "../api/serving/config-domain.ts";
import { servingNamespace } from "../api/serving/keys.ts";
import { requestAccountToken, type AccountToken } from "../client/account-token.ts";
import { createInformers } from "../client/create-informers.ts";
import type { HttpClient } from "../client/http-client.ts";
import { webhookName, type WebhookPlaces } from "../controllers/eventing/webhook-ways.ts";
import { servingConfig } from "../controllers/serving/config.ts";
import type { Tracer } from "../api/meta/tracer.ts";
import type { Sender } from "../events/delivery/http-sender.ts";
import type { JetStreamLog } from "../events/log/jetstream-store.ts";
import type { ConsumerShares } from "../events/sharing/consumer-shares.ts";
import type { Members } from "../events/sharing/members.ts";
import { createSharedSources, type SharedSources } from "../events/sources/shared-sources.ts";
import { createSourceRunner, type SourceStats } from "../events/sources/source-runner.ts";
import { createWebhookFront } from "../events/sources/webhook/webhook-front.ts";
import { createApiAs } from "./api-as.ts";
import type { Cluster } from "./cluster.ts";
import type { RouteNames } from "./cluster-calls.ts";
import type { Address } from "./cluster-router.ts";
import { trimmed } from "./trim-objects.ts";

export interface ClusterSources {
  readonly shared: SharedSources;
  readonly places: WebhookPlaces;
  readonly names: RouteNames;
  /** For programs that send. */
  issueToken(as: SenderIdentity, audience: string): Promise<AccountToken>;
  /** Resolves when the domain of webhooks is known. */
  ready(signal: AbortSignal): Promise<void>;
  /** Of those that are read here. */
  counts(): readonly SourceStats[];
  close(ms: number): Promise<void>;
}

export interface ClusterSourcesOptions {
  /** Where webhooks are taken. */
  readonly webhooks: Address;
  /** Service, in ebb's namespace, in front of it. */
  readonly webhooksService: string;
}

export interface ClusterSourcesDeps {
  readonly store: JetStreamLog;
  readonly sender: Sender;
  readonly tracer?: Tracer;
  readonly shares: ConsumerShares;
  readonly members: Members;
  /** Asks for tokens, and for nothing else. */
  readonly tokens: HttpClient;
}

export function openClusterSources(
  cluster: Cluster,
  { webhooks: listen, webhooksService }: ClusterSourcesOptions,
  { store, sender, tracer, shares, members, tokens }: ClusterSourcesDeps,
): ClusterSources {
  const { clock, log, client, namespace } = cluster;
  const settings = createInformers(client, {
    log,
    clock,
    scopeOf: () => ({ namespace: servingNamespace, trim: trimmed }),
  });
  settings.of(ConfigMapKind);
  const serving = servingConfig(settings);
  const places: WebhookPlaces = {
    service: { namespace, name: webhooksService },
    wayOf({ namespace: home, name }) {
      const network = serving.network();
      const domain = domainOf(serving.domain(), undefined, clusterLocalDomain);
      if (domain === clusterLocalDomain) return undefined;
      const of = { Name: webhookName(name), Namespace: home, Domain: domain, Annotations: {}, Labels: {} };
      return { host: network.domainTemplate(of), ingressClass: network.ingressClass };
    },
  };
  const webhooks = createWebhookFront({
    log,
    listen,
    onListening: () => undefined,
    // Its Service leads here, wherever it is taken.
    onHost: () => undefined,
    urlOf(host) {
      const [name = "", home = ""] = host.split(".");
      const way = places.wayOf({ namespace: home, name: name.slice(0, -webhookName("").length) });
      if (way === undefined) return `http://${host}.${clusterLocalDomain}`;
      return `${serving.network().defaultExternalScheme}://${way.host}`;
    },
  });
  const apiAs = createApiAs({
    server: () => client.config,
    issue: (account) => requestAccountToken(tokens, { ...account, audiences: [] }),
    userAgent: "ebb-events sources",
  });
  const runner = createSourceRunner({}, { sender, tracer, clock, log, documents: store, webhooks, apiAs });
  const shared = createSharedSources({ runner, shares, members, bus: store.bus, store, clock, log });
  return {
    shared,
    places,
    names: {
      domain: () => domainOf(serving.domain(), undefined, clusterLocalDomain),
      ingressClass: () => serving.network().ingressClass,
    },
    issueToken: (as, audience) => requestAccountToken(tokens, { ...as, audiences: [audience] }),
    ready: (signal) => settings.synced(signal),
    counts: () => runner.sources(),
    async close(ms) {
      await shared.close(ms);
      await webhooks.close();
      await settings.close();
    },
  };
}
