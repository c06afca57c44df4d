/** What a user may choose of an installation. */
export interface BundleOptions {
  /** Of the ebb that installs, such as 0.1.0. */
  readonly version: string;
  /** ebb's own image, pinned by digest where it can be. */
  readonly image: string;
  /** Secrets of ebb-system with logins for that image. */
  readonly imagePullSecrets?: readonly string[];
  readonly replicas: Readonly<Record<"controller" | "router", number>>;
  /** Brokers, channels and sources. Absent: the kinds are there, and nothing serves them. */
  readonly events?: EventsOptions;
  /** Domain of Services, `name.namespace.<domain>`, kept in the ConfigMap config-domain. Absent: it is left as it is. */
  readonly domain?: string;
  readonly serviceType: ServiceType;
  /** `host:port` of registries without TLS, or with certificates nobody signed, in which tags are resolved. */
  readonly insecureRegistries?: readonly string[];
  /** What becomes of X-Forwarded-* and the like that clients from outside send. Absent: they are passed on and added to. */
  readonly forwardedHeaders?: ForwardedHeaders;
  /** Image of pods that wait for Python functions, as `ebb image host python` builds it. Absent: none wait for those. */
  readonly warmPythonImage?: string;
}

export interface EventsOptions {
  readonly replicas: number;
  readonly nats: OwnNats | GivenNats;
}

/** A NATS server that the installation brings, which syncs to disk before it acknowledges. */
export interface OwnNats {
  readonly kind: "own";
  readonly image: string;
  /** Servers, and copies of every event. */
  readonly servers: 1 | 3;
  /** Size and class of each server's volume; the class absent: the cluster's default. `none`: events end with the pod. */
  readonly storage: { readonly size: string; readonly className?: string } | "none";
}

/** A server that is there already. */
export interface GivenNats {
  readonly kind: "given";
  /** `nats://user:password@host:4222?replicas=3&monitor=http://host:8222`; kept in a Secret. */
  readonly url: string;
}

/** What is installed unless another image is named. */
export const defaultNatsImage = "docker.io/library/nats:2.12.1";
export const defaultNatsStorage = "10Gi";

export type ServiceType = "LoadBalancer" | "NodePort" | "ClusterIP";

export const serviceTypes: readonly ServiceType[] = ["LoadBalancer", "NodePort", "ClusterIP"];

export type ForwardedHeaders = "pass" | "replace";
