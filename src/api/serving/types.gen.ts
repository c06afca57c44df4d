// Written by scripts/gen-api-types.ts from the field tables beside it; do not edit.
import type { Affinity, CSIVolumeSource, ConfigMapVolumeSource, ContainerPort, EmptyDirVolumeSource, EnvFromSource, EnvVar, EphemeralVolumeSource, HostAlias, HostPathVolumeSource, ImageVolumeSource, LocalObjectReference, PersistentVolumeClaimVolumeSource, PodDNSConfig, PodSecurityContext, Probe, ProjectedVolumeSource, ResourceRequirements, SecretVolumeSource, SecurityContext, Toleration, TopologySpreadConstraint, VolumeMount } from "../core/types.gen.ts";
import type { TypeMeta } from "../meta/type-meta.ts";
import type { ObjectMeta } from "../meta/types.gen.ts";

export interface Service extends TypeMeta {
  /** Name, namespace, labels and what else every object has. */
  readonly metadata: ObjectMeta;
  /** What is wanted. */
  readonly spec: ServiceSpec;
  /** What is there, as last observed. */
  readonly status?: ServiceStatus;
}

export interface ServiceSpec {
  /** What the next Revision looks like; a change makes a new one. */
  readonly template: RevisionTemplateSpec;
  /** How requests are shared out; everything to the latest ready Revision when left out. */
  readonly traffic?: readonly TrafficTarget[];
}

export interface ServiceStatus {
  /** The generation of the spec that this status answers. */
  readonly observedGeneration?: number;
  /** Judgements on how far the object is, one per type; Ready sums them up. */
  readonly conditions?: readonly Condition[];
  /** Further facts that controllers keep with the status. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** Where it answers. */
  readonly url?: string;
  /** Where the cluster itself reaches it. */
  readonly address?: Addressable;
  /** Where requests go now, always with concrete Revisions. */
  readonly traffic?: readonly TrafficTarget[];
  /** The Revision made for the current template. */
  readonly latestCreatedRevisionName?: string;
  /** The newest Revision that can take requests; traffic to the latest goes there. */
  readonly latestReadyRevisionName?: string;
}

export interface Configuration extends TypeMeta {
  /** Name, namespace, labels and what else every object has. */
  readonly metadata: ObjectMeta;
  /** What is wanted. */
  readonly spec: ConfigurationSpec;
  /** What is there, as last observed. */
  readonly status?: ConfigurationStatus;
}

export interface ConfigurationSpec {
  /** What the next Revision looks like; a change makes a new one. */
  readonly template: RevisionTemplateSpec;
}

export interface ConfigurationStatus {
  /** The generation of the spec that this status answers. */
  readonly observedGeneration?: number;
  /** Judgements on how far the object is, one per type; Ready sums them up. */
  readonly conditions?: readonly Condition[];
  /** Further facts that controllers keep with the status. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** The Revision made for the current template. */
  readonly latestCreatedRevisionName?: string;
  /** The newest Revision that can take requests; traffic to the latest goes there. */
  readonly latestReadyRevisionName?: string;
}

export interface Route extends TypeMeta {
  /** Name, namespace, labels and what else every object has. */
  readonly metadata: ObjectMeta;
  /** What is wanted. */
  readonly spec: RouteSpec;
  /** What is there, as last observed. */
  readonly status?: RouteStatus;
}

export interface RouteSpec {
  /** How requests are shared out; percentages add up to 100. */
  readonly traffic?: readonly TrafficTarget[];
}

export interface RouteStatus {
  /** The generation of the spec that this status answers. */
  readonly observedGeneration?: number;
  /** Judgements on how far the object is, one per type; Ready sums them up. */
  readonly conditions?: readonly Condition[];
  /** Further facts that controllers keep with the status. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** Where it answers. */
  readonly url?: string;
  /** Where the cluster itself reaches it. */
  readonly address?: Addressable;
  /** Where requests go now, always with concrete Revisions. */
  readonly traffic?: readonly TrafficTarget[];
}

export interface Revision extends TypeMeta {
  /** Name, namespace, labels and what else every object has. */
  readonly metadata: ObjectMeta;
  /** What is wanted. */
  readonly spec: RevisionSpec;
  /** What is there, as last observed. */
  readonly status?: RevisionStatus;
}

export interface RevisionTemplateSpec {
  /** Labels and annotations of the Revision, and its name if it is to have a chosen one. */
  readonly metadata?: ObjectMeta;
  /** How it runs. */
  readonly spec: RevisionSpec;
}

export interface RevisionSpec {
  /** The program, and helpers beside it; one of them takes the requests. */
  readonly containers: readonly Container[];
  /** Programs that run to their end first; needs flag kubernetes.podspec-init-containers. */
  readonly initContainers?: readonly Container[];
  /** Files that containers mount. */
  readonly volumes?: readonly Volume[];
  /** As whom the pods act in the API. */
  readonly serviceAccountName?: string;
  /** Secrets with credentials for the images. */
  readonly imagePullSecrets?: readonly LocalObjectReference[];
  /** Whether containers get environment variables of other Services. */
  readonly enableServiceLinks?: boolean;
  /** May only be false: no API token in the pods. */
  readonly automountServiceAccountToken?: boolean;
  /** Where pods may run; needs a flag. */
  readonly affinity?: Affinity;
  /** How pods are spread; needs a flag. */
  readonly topologySpreadConstraints?: readonly TopologySpreadConstraint[];
  /** Lines for /etc/hosts; needs a flag. */
  readonly hostAliases?: readonly HostAlias[];
  /** Labels of nodes that may run it; needs a flag. */
  readonly nodeSelector?: Readonly<Record<string, string>>;
  /** Taints of nodes it bears; needs a flag. */
  readonly tolerations?: readonly Toleration[];
  /** What runs its containers; needs a flag. */
  readonly runtimeClassName?: string;
  /** How names are looked up; needs a flag. */
  readonly dnsPolicy?: string;
  /** Settings for looking names up; needs a flag. */
  readonly dnsConfig?: PodDNSConfig;
  /** Users and rights of the whole pod; needs a flag. */
  readonly securityContext?: PodSecurityContext;
  /** Containers see each other's processes; needs a flag. */
  readonly shareProcessNamespace?: boolean;
  /** Uses the node's IPC; needs a flag. */
  readonly hostIPC?: boolean;
  /** Uses the node's process ids; needs a flag. */
  readonly hostPID?: boolean;
  /** Uses the node's network; needs a flag. */
  readonly hostNetwork?: boolean;
  /** How important its pods are; needs a flag. */
  readonly priorityClassName?: string;
  /** Who finds nodes for its pods; needs a flag. */
  readonly schedulerName?: string;
  /** Requests an instance takes at once, never more; 0 is no limit. */
  readonly containerConcurrency?: number;
  /** Longest time of a whole request, waiting for an instance included. */
  readonly timeoutSeconds?: number;
  /** Longest wait for the first byte of an answer; 0 is no limit. */
  readonly responseStartTimeoutSeconds?: number;
  /** Longest pause within an answer; 0 is no limit. */
  readonly idleTimeoutSeconds?: number;
}

export interface Container {
  /** Unique in the Revision; given one when left out. */
  readonly name?: string;
  /** The image with the program. */
  readonly image?: string;
  /** Replaces the image's entry point. */
  readonly command?: readonly string[];
  /** Replaces the image's arguments. */
  readonly args?: readonly string[];
  /** Directory it starts in. */
  readonly workingDir?: string;
  /** At most one: where it takes requests. Name h2c for HTTP/2 without TLS. */
  readonly ports?: readonly ContainerPort[];
  /** Environment variables; PORT and K_* are set for it. */
  readonly env?: readonly EnvVar[];
  /** ConfigMaps and Secrets whose keys become environment variables. */
  readonly envFrom?: readonly EnvFromSource[];
  /** CPU, memory and disk it asks for and may use. */
  readonly resources?: ResourceRequirements;
  /** Where volumes appear. */
  readonly volumeMounts?: readonly VolumeMount[];
  /** When it fails, the container is restarted. */
  readonly livenessProbe?: Probe;
  /** When it holds, the instance takes requests. Without a period it is tried as fast as sensible. */
  readonly readinessProbe?: Probe;
  /** The other probes wait for it. */
  readonly startupProbe?: Probe;
  /** File with its last words. */
  readonly terminationMessagePath?: string;
  /** Where last words are looked for; the log when it fails by default. */
  readonly terminationMessagePolicy?: string;
  /** When the image is fetched. */
  readonly imagePullPolicy?: string;
  /** Its user and rights. */
  readonly securityContext?: SecurityContext;
}

export interface Volume {
  /** What mounts call it. */
  readonly name: string;
  /** An empty directory that lives as long as the pod. */
  readonly emptyDir?: EmptyDirVolumeSource;
  /** Keys of a Secret as files. */
  readonly secret?: SecretVolumeSource;
  /** Keys of a ConfigMap as files. */
  readonly configMap?: ConfigMapVolumeSource;
  /** Several sources in one directory. */
  readonly projected?: ProjectedVolumeSource;
  /** A claim on lasting storage; needs a flag. */
  readonly persistentVolumeClaim?: PersistentVolumeClaimVolumeSource;
  /** A directory of the node; needs a flag. */
  readonly hostPath?: HostPathVolumeSource;
  /** A volume from a driver; needs a flag. */
  readonly csi?: CSIVolumeSource;
  /** Storage made for this pod alone; needs a flag. */
  readonly ephemeral?: EphemeralVolumeSource;
  /** Contents of an image; needs a flag. */
  readonly image?: ImageVolumeSource;
}

export interface RevisionStatus {
  /** The generation of the spec that this status answers. */
  readonly observedGeneration?: number;
  /** Judgements on how far the object is, one per type; Ready sums them up. */
  readonly conditions?: readonly Condition[];
  /** Further facts that controllers keep with the status. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** Where its logs are shown. */
  readonly logUrl?: string;
  /** The images of its containers by digest. */
  readonly containerStatuses?: readonly ContainerImageStatus[];
  /** The images of its init containers by digest. */
  readonly initContainerStatuses?: readonly ContainerImageStatus[];
  /** Instances that are ready. */
  readonly actualReplicas?: number;
  /** Instances the autoscaler wants. */
  readonly desiredReplicas?: number;
}

export interface ContainerImageStatus {
  /** The container. */
  readonly name?: string;
  /** Its image by digest; empty when the tag is used as it is. */
  readonly imageDigest?: string;
}

export interface TrafficTarget {
  /** A name under which this target is also reached alone. */
  readonly tag?: string;
  /** Exactly this Revision. */
  readonly revisionName?: string;
  /** The latest ready Revision of this Configuration. */
  readonly configurationName?: string;
  /** Whether the share moves to each new Revision. */
  readonly latestRevision?: boolean;
  /** Its share of the requests, 0 to 100. */
  readonly percent?: number;
  /** Where the tag is reached. */
  readonly url?: string;
}

export interface Addressable {
  /** What this address is called. */
  readonly name?: string;
  /** The address. */
  readonly url?: string;
  /** Certificates to trust there, in PEM. */
  readonly CACerts?: string;
  /** For whom tokens sent there are made. */
  readonly audience?: string;
}

export interface Condition {
  /** What is judged. */
  readonly type: string;
  /** True, False or Unknown. */
  readonly status: string;
  /** Info and Warning take no part in Ready; empty does. */
  readonly severity?: string;
  /** When this judgement last changed. */
  readonly lastTransitionTime?: string;
  /** Why, in one word. */
  readonly reason?: string;
  /** Why, in a sentence. */
  readonly message?: string;
}

export interface DomainMapping extends TypeMeta {
  /** Name, namespace, labels and what else every object has. */
  readonly metadata: ObjectMeta;
  /** What is wanted. */
  readonly spec: DomainMappingSpec;
  /** What is there, as last observed. */
  readonly status?: DomainMappingStatus;
}

export interface DomainMappingSpec {
  /** The Service, Route or core Service of the same namespace. */
  readonly ref: KReference;
  /** A certificate of the user's for the domain. */
  readonly tls?: SecretTLS;
}

export interface KReference {
  /** Its kind. */
  readonly kind: string;
  /** Its namespace; the referring object's when left out. */
  readonly namespace?: string;
  /** Its name. */
  readonly name: string;
  /** Its group and version. */
  readonly apiVersion?: string;
  /** Its group, in place of apiVersion. */
  readonly group?: string;
  /** Which of its addresses. */
  readonly address?: string;
}

export interface SecretTLS {
  /** A Secret of type kubernetes.io/tls in the same namespace. */
  readonly secretName: string;
}

export interface DomainMappingStatus {
  /** The generation of the spec that this status answers. */
  readonly observedGeneration?: number;
  /** Judgements on how far the object is, one per type; Ready sums them up. */
  readonly conditions?: readonly Condition[];
  /** Further facts that controllers keep with the status. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** Where it answers. */
  readonly url?: string;
  /** Where the cluster itself reaches it. */
  readonly address?: Addressable;
}
