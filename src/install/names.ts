/** Names of what an installation is made of; part of the contract with those who find these objects by name. */

/** Where ebb itself runs. */
export const systemNamespace = "ebb-system";

/** Set on everything an installation brings, and how `ebb uninstall` finds it. */
export const installLabels = { "app.kubernetes.io/part-of": "ebb", "app.kubernetes.io/managed-by": "ebb" } as const;

/** Field manager of server-side apply. */
export const installManager = "ebb-install";

/** ConfigMap of ebb-system that says which ebb installed it last. */
export const installationRecord = "ebb-installation";

export type Component = "controller" | "router" | "events";

/** What every installation runs. */
export const components: readonly Component[] = ["controller", "router"];

/** Name of a component's Deployment, Service, ServiceAccount and roles. */
export const nameOf = (component: Component): string => `ebb-${component}`;

/** Ports of the pods. */
export const podPorts = {
  router: 8080,
  routerInternal: 8081,
  routerTls: 8443,
  /** Where routers tell each other what they do, and pass requests on to each other. */
  routerPeers: 8082,
  routerRelay: 8083,
  controller: 8443,
  /** Where producers send events. */
  events: 8080,
  /** Where JobSinks and other sinks that are no streams take events. */
  sinks: 8081,
  /** Where webhooks are taken. */
  webhooks: 8082,
  /** Where controllers pass on what people ask of events. */
  desk: 8083,
  /** Where routers pass on calls that are carried out later. */
  calls: 8084,
  metrics: 9090,
} as const;

/** Service in front of the routers for requests from inside the cluster, which reach cluster-local hosts too. */
export const internalService = "ebb-router-internal";

/** Audience of the tokens by which routers show the controller who they are. */
export const controllerAudience = "ebb-controller";
/** Where such a token is found in a router's pod. */
export const controllerTokenDir = "/var/run/secrets/ebb-controller";

/** Audience of the tokens by which controllers show ebb-events who they are. */
export const eventsAudience = "ebb-events";
/** Such a token, beside the one of {@link controllerTokenDir}. */
export const eventsTokenFile = `${controllerTokenDir}/events-token`;

/** Service, and Ingress, in ebb's namespace, by which asynchronous calls are taken and asked after. */
export const callsService = "calls";

/** Service in front of where ebb-events is asked by controllers. */
export const deskService = "ebb-events-desk";

/** Secret with the key by which routers know each other; brought empty, filled by the first router. */
export const routerPeersSecret = "ebb-router-peers";

/** Secret with the certificate authority and the serving certificate of webhooks and metrics APIs. */
export const servingCertsSecret = "ebb-serving-certs";

/** ConfigMap with the certificates by which a controller's is known: for routers, and `ca.crt` of it for whoever asks. */
export const servingCaConfigMap = "ebb-serving-ca";

/** Service, in ebb's namespace, in front of where producers send events; upstream's name for it. */
export const brokerIngressService = "broker-ingress";

/** Service, in ebb's namespace, in front of where sinks take events. */
export const sinksService = "ebb-sinks";

/** Service, in ebb's namespace, in front of where webhooks are taken. */
export const webhooksService = "ebb-webhooks";

/** StatefulSet, Service, ConfigMap and accounts of the NATS server that an installation brings. */
export const natsName = "ebb-nats";
export const natsPorts = { client: 4222, monitor: 8222, cluster: 6222 } as const;
/** Secret with the password of that server; brought empty, filled by the first replica of ebb-events. */
export const natsSecret = "ebb-nats-auth";
/** Secret with the URL of a NATS server that was given. */
export const givenNatsSecret = "ebb-events-nats";

/** Secret with the authority by which warm pods know who may claim them. */
export const claimAuthoritySecret = "ebb-claim-authority";
