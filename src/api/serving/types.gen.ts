// Written by scripts/gen-api-types.ts from the field tables beside it; do not edit.
import type { Affinity, CSIVolumeSource, ConfigMapVolumeSource, ContainerPort, EmptyDirVolumeSource, EnvFromSource, EnvVar, EphemeralVolumeSource, HostAlias, HostPathVolumeSource, ImageVolumeSource, LocalObjectReference, PersistentVolumeClaimVolumeSource, PodDNSConfig, PodSecurityContext, Probe, ProjectedVolumeSource, ResourceRequirements, SecretVolumeSource, SecurityContext, Toleration, TopologySpreadConstraint, VolumeMount } from "../core/types.gen.ts";
import type { TypeMeta } from "../meta/type-meta.ts";
import type { ObjectMeta } from "../meta/types.gen.ts";

export interface Service extends TypeMeta {
  readonly metadata: ObjectMeta;
  readonly spec: ServiceSpec;
  readonly status?: ServiceStatus;
}

export interface ServiceSpec {
  readonly template: RevisionTemplateSpec;
  readonly traffic?: readonly TrafficTarget[];
}

export interface ServiceStatus {
  readonly observedGeneration?: number;
  readonly conditions?: readonly Condition[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly url?: string;
  readonly address?: Addressable;
  readonly traffic?: readonly TrafficTarget[];
  readonly latestCreatedRevisionName?: string;
  readonly latestReadyRevisionName?: string;
}

export interface Configuration extends TypeMeta {
  readonly metadata: ObjectMeta;
  readonly spec: ConfigurationSpec;
  readonly status?: ConfigurationStatus;
}

export interface ConfigurationSpec {
  readonly template: RevisionTemplateSpec;
}

export interface ConfigurationStatus {
  readonly observedGeneration?: number;
  readonly conditions?: readonly Condition[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly latestCreatedRevisionName?: string;
  readonly latestReadyRevisionName?: string;
}

export interface Route extends TypeMeta {
  readonly metadata: ObjectMeta;
  readonly spec: RouteSpec;
  readonly status?: RouteStatus;
}

export interface RouteSpec {
  readonly traffic?: readonly TrafficTarget[];
}

export interface RouteStatus {
  readonly observedGeneration?: number;
  readonly conditions?: readonly Condition[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly url?: string;
  readonly address?: Addressable;
  readonly traffic?: readonly TrafficTarget[];
}

export interface Revision extends TypeMeta {
  readonly metadata: ObjectMeta;
  readonly spec: RevisionSpec;
  readonly status?: RevisionStatus;
}

export interface RevisionTemplateSpec {
  readonly metadata?: ObjectMeta;
  readonly spec: RevisionSpec;
}

export interface RevisionSpec {
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly volumes?: readonly Volume[];
  readonly serviceAccountName?: string;
  readonly imagePullSecrets?: readonly LocalObjectReference[];
  readonly enableServiceLinks?: boolean;
  readonly automountServiceAccountToken?: boolean;
  readonly affinity?: Affinity;
  readonly topologySpreadConstraints?: readonly TopologySpreadConstraint[];
  readonly hostAliases?: readonly HostAlias[];
  readonly nodeSelector?: Readonly<Record<string, string>>;
  readonly tolerations?: readonly Toleration[];
  readonly runtimeClassName?: string;
  readonly dnsPolicy?: string;
  readonly dnsConfig?: PodDNSConfig;
  readonly securityContext?: PodSecurityContext;
  readonly shareProcessNamespace?: boolean;
  readonly hostIPC?: boolean;
  readonly hostPID?: boolean;
  readonly hostNetwork?: boolean;
  readonly priorityClassName?: string;
  readonly schedulerName?: string;
  readonly containerConcurrency?: number;
  readonly timeoutSeconds?: number;
  readonly responseStartTimeoutSeconds?: number;
  readonly idleTimeoutSeconds?: number;
}

export interface Container {
  readonly name?: string;
  readonly image?: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly workingDir?: string;
  readonly ports?: readonly ContainerPort[];
  readonly env?: readonly EnvVar[];
  readonly envFrom?: readonly EnvFromSource[];
  readonly resources?: ResourceRequirements;
  readonly volumeMounts?: readonly VolumeMount[];
  readonly livenessProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly startupProbe?: Probe;
  readonly terminationMessagePath?: string;
  readonly terminationMessagePolicy?: string;
  readonly imagePullPolicy?: string;
  readonly securityContext?: SecurityContext;
}

export interface Volume {
  readonly name: string;
  readonly emptyDir?: EmptyDirVolumeSource;
  readonly secret?: SecretVolumeSource;
  readonly configMap?: ConfigMapVolumeSource;
  readonly projected?: ProjectedVolumeSource;
  readonly persistentVolumeClaim?: PersistentVolumeClaimVolumeSource;
  readonly hostPath?: HostPathVolumeSource;
  readonly csi?: CSIVolumeSource;
  readonly ephemeral?: EphemeralVolumeSource;
  readonly image?: ImageVolumeSource;
}

export interface RevisionStatus {
  readonly observedGeneration?: number;
  readonly conditions?: readonly Condition[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly logUrl?: string;
  readonly containerStatuses?: readonly ContainerImageStatus[];
  readonly initContainerStatuses?: readonly ContainerImageStatus[];
  readonly actualReplicas?: number;
  readonly desiredReplicas?: number;
}

export interface ContainerImageStatus {
  readonly name?: string;
  readonly imageDigest?: string;
}

export interface TrafficTarget {
  readonly tag?: string;
  readonly revisionName?: string;
  readonly configurationName?: string;
  readonly latestRevision?: boolean;
  readonly percent?: number;
  readonly url?: string;
}

export interface Addressable {
  readonly name?: string;
  readonly url?: string;
  readonly CACerts?: string;
  readonly audience?: string;
}

export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly severity?: string;
  readonly lastTransitionTime?: string;
  readonly reason?: string;
  readonly message?: string;
}

export interface DomainMapping extends TypeMeta {
  readonly metadata: ObjectMeta;
  readonly spec: DomainMappingSpec;
  readonly status?: DomainMappingStatus;
}

export interface DomainMappingSpec {
  readonly ref: KReference;
  readonly tls?: SecretTLS;
}

export interface KReference {
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  readonly apiVersion?: string;
  readonly group?: string;
  readonly address?: string;
}

export interface SecretTLS {
  readonly secretName: string;
}

export interface DomainMappingStatus {
  readonly observedGeneration?: number;
  readonly conditions?: readonly Condition[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly url?: string;
  readonly address?: Addressable;
}
