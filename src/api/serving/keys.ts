/** Labels and annotations of Knative Serving that more than one room reads. */

export const servingKeys = {
  service: "serving.knative.dev/service",
  serviceUid: "serving.knative.dev/serviceUID",
  configuration: "serving.knative.dev/configuration",
  configurationUid: "serving.knative.dev/configurationUID",
  configurationGeneration: "serving.knative.dev/configurationGeneration",
  revision: "serving.knative.dev/revision",
  revisionUid: "serving.knative.dev/revisionUID",
  route: "serving.knative.dev/route",
  routeNamespace: "serving.knative.dev/routeNamespace",
  /** Annotation on Configurations and Revisions: the Routes that refer to them, comma-separated. */
  routes: "serving.knative.dev/routes",
  /** Label on Revisions: `pending`, `active` or `reserve`. */
  routingState: "serving.knative.dev/routingState",
  routingStateModified: "serving.knative.dev/routingStateModified",
  creator: "serving.knative.dev/creator",
  lastModifier: "serving.knative.dev/lastModifier",
  noGc: "serving.knative.dev/no-gc",
  lastPinned: "serving.knative.dev/lastPinned",
  rolloutDuration: "serving.knative.dev/rollout-duration",
  rolloutDurationOld: "serving.knative.dev/rolloutDuration",
  progressDeadline: "serving.knative.dev/progress-deadline",
  progressDeadlineOld: "serving.knative.dev/progressDeadline",
  domainMappingUid: "serving.knative.dev/domainMappingUID",
  domainMappingNamespace: "serving.knative.dev/domainMappingNamespace",
  /** State of a gradual rollout, on the KIngress. */
  rollout: "networking.internal.knative.dev/rollout",
  visibility: "networking.knative.dev/visibility",
  ingressClass: "networking.knative.dev/ingress-class",
  httpProtocol: "networking.knative.dev/http-protocol",
  httpOption: "networking.knative.dev/httpOption",
  disableExternalDomainTls: "networking.knative.dev/disable-external-domain-tls",
  /** Older spellings of {@link servingKeys.disableExternalDomainTls}. */
  disableAutoTls: "networking.knative.dev/disable-auto-tls",
  disableAutoTlsOld: "networking.knative.dev/disableAutoTLS",
  /** Annotation: who keeps a Certificate. */
  certificateClass: "networking.knative.dev/certificate.class",
  certificateClassAlternative: "networking.knative.dev/certificate-class",
  /** Label on Certificates: `external-domain`. */
  certificateType: "networking.knative.dev/certificate-type",
  /** Label on Certificates for all hosts of a namespace: their domain. */
  wildcardDomain: "networking.knative.dev/wildcardDomain",
  /** Label on Secrets that have a certificate: the Certificate's uid. */
  certificateUid: "networking.internal.knative.dev/certificate-uid",
  autoscalingPrefix: "autoscaling.knative.dev/",
  lastApplied: "kubectl.kubernetes.io/last-applied-configuration",
} as const;

/** Value of {@link servingKeys.visibility} that keeps a Route off external hosts. */
export const clusterLocalVisibility = "cluster-local";

/** Namespace of the `config-*` ConfigMaps. */
export const servingNamespace = "knative-serving";
