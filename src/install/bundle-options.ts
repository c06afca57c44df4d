/** What a user may choose of an installation. */
export interface BundleOptions {
  /** Of the ebb that installs, such as 0.1.0. */
  readonly version: string;
  /** ebb's own image, pinned by digest where it can be. */
  readonly image: string;
  /** Secrets of ebb-system with logins for that image. */
  readonly imagePullSecrets?: readonly string[];
  readonly replicas: Readonly<Record<"controller" | "router", number>>;
  /** Domain of Services, `name.namespace.<domain>`, kept in the ConfigMap config-domain. Absent: it is left as it is. */
  readonly domain?: string;
  readonly serviceType: ServiceType;
  /** `host:port` of registries without TLS, or with certificates nobody signed, in which tags are resolved. */
  readonly insecureRegistries?: readonly string[];
  /** Image of pods that wait for Python functions, as `ebb image host python` builds it. Absent: none wait for those. */
  readonly warmPythonImage?: string;
}

export type ServiceType = "LoadBalancer" | "NodePort" | "ClusterIP";

export const serviceTypes: readonly ServiceType[] = ["LoadBalancer", "NodePort", "ClusterIP"];
