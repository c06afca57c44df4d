/**
 * Field tables of serving.knative.dev; the notation is explained in ../meta/message.ts.
 * RevisionSpec and Container are the part of PodSpec and Container that Serving lets through (sheet §1.7);
 * their fields keep the core types, so a RevisionSpec's containers can be put into a pod as they are. Unlike a Pod's,
 * containers and ports are plain lists: a container's name may be left out, so server-side apply cannot go by it.
 */
export const messages = `
package serving.v1

Service
  1 metadata meta.ObjectMeta~
  2 spec ServiceSpec~
  3 status ServiceStatus

ServiceSpec
  1 template RevisionTemplateSpec~
  2 traffic []TrafficTarget

ServiceStatus
  1 observedGeneration int64
  2 conditions []Condition map=type
  3 annotations map<string,string>
  4 url string
  5 address Addressable
  6 traffic []TrafficTarget
  7 latestCreatedRevisionName string
  8 latestReadyRevisionName string

Configuration
  1 metadata meta.ObjectMeta~
  2 spec ConfigurationSpec~
  3 status ConfigurationStatus

ConfigurationSpec
  1 template RevisionTemplateSpec~

ConfigurationStatus
  1 observedGeneration int64
  2 conditions []Condition map=type
  3 annotations map<string,string>
  4 latestCreatedRevisionName string
  5 latestReadyRevisionName string

Route
  1 metadata meta.ObjectMeta~
  2 spec RouteSpec~
  3 status RouteStatus

RouteSpec
  1 traffic []TrafficTarget

RouteStatus
  1 observedGeneration int64
  2 conditions []Condition map=type
  3 annotations map<string,string>
  4 url string
  5 address Addressable
  6 traffic []TrafficTarget

Revision
  1 metadata meta.ObjectMeta~
  2 spec RevisionSpec~
  3 status RevisionStatus

RevisionTemplateSpec
  1 metadata meta.ObjectMeta
  2 spec RevisionSpec~

RevisionSpec
  1 containers []Container!
  2 initContainers []Container
  3 volumes []Volume merge=name map=name
  4 serviceAccountName string
  5 imagePullSecrets []core.v1.LocalObjectReference
  6 enableServiceLinks bool?
  7 automountServiceAccountToken bool?
  8 affinity core.v1.Affinity
  9 topologySpreadConstraints []core.v1.TopologySpreadConstraint
  10 hostAliases []core.v1.HostAlias
  11 nodeSelector map<string,string> atomicmap
  12 tolerations []core.v1.Toleration
  13 runtimeClassName string?
  14 dnsPolicy string
  15 dnsConfig core.v1.PodDNSConfig
  16 securityContext core.v1.PodSecurityContext
  17 shareProcessNamespace bool?
  18 hostIPC bool
  19 hostPID bool
  20 hostNetwork bool
  21 priorityClassName string
  22 schedulerName string
  30 containerConcurrency int64?
  31 timeoutSeconds int64?
  32 responseStartTimeoutSeconds int64?
  33 idleTimeoutSeconds int64?

Container
  1 name string
  2 image string
  3 command []string
  4 args []string
  5 workingDir string
  6 ports []core.v1.ContainerPort
  7 env []core.v1.EnvVar merge=name map=name
  8 envFrom []core.v1.EnvFromSource
  9 resources core.v1.ResourceRequirements
  10 volumeMounts []core.v1.VolumeMount merge=mountPath map=mountPath
  11 livenessProbe core.v1.Probe
  12 readinessProbe core.v1.Probe
  13 startupProbe core.v1.Probe
  14 terminationMessagePath string
  15 terminationMessagePolicy string
  16 imagePullPolicy string
  17 securityContext core.v1.SecurityContext

Volume
  1 name string!
  2 emptyDir core.v1.EmptyDirVolumeSource
  3 secret core.v1.SecretVolumeSource
  4 configMap core.v1.ConfigMapVolumeSource
  5 projected core.v1.ProjectedVolumeSource
  6 persistentVolumeClaim core.v1.PersistentVolumeClaimVolumeSource
  7 hostPath core.v1.HostPathVolumeSource
  8 csi core.v1.CSIVolumeSource
  9 ephemeral core.v1.EphemeralVolumeSource
  10 image core.v1.ImageVolumeSource

RevisionStatus
  1 observedGeneration int64
  2 conditions []Condition map=type
  3 annotations map<string,string>
  4 logUrl string
  5 containerStatuses []ContainerImageStatus
  6 initContainerStatuses []ContainerImageStatus
  7 actualReplicas int32?
  8 desiredReplicas int32?

ContainerImageStatus
  1 name string
  2 imageDigest string

TrafficTarget
  1 tag string
  2 revisionName string
  3 configurationName string
  4 latestRevision bool?
  5 percent int64?
  6 url string

Addressable
  1 name string
  2 url string
  3 CACerts string
  4 audience string

Condition
  1 type string!
  2 status string!
  3 severity string
  4 lastTransitionTime Time
  5 reason string
  6 message string

DomainMapping
  1 metadata meta.ObjectMeta~
  2 spec DomainMappingSpec~
  3 status DomainMappingStatus

DomainMappingSpec
  1 ref KReference!
  2 tls SecretTLS

KReference
  1 kind string!
  2 namespace string
  3 name string!
  4 apiVersion string
  5 group string
  6 address string

SecretTLS
  1 secretName string!

DomainMappingStatus
  1 observedGeneration int64
  2 conditions []Condition map=type
  3 annotations map<string,string>
  4 url string
  5 address Addressable
`;
