/** Field tables of core/v1; the notation is explained in ../meta/message.ts. */
export const messages = `
package core.v1

AWSElasticBlockStoreVolumeSource
  1 volumeID string
  2 fsType string
  3 partition int32
  4 readOnly bool

Affinity -- Rules about where a pod would or must run.
  1 nodeAffinity NodeAffinity -- Rules about nodes.
  2 podAffinity PodAffinity -- Rules about being near other pods.
  3 podAntiAffinity PodAntiAffinity -- Rules about being away from other pods.

AppArmorProfile
  1 type string!
  2 localhostProfile string?

AttachedVolume
  1 name string
  2 devicePath string

AzureDiskVolumeSource
  1 diskName string
  2 diskURI string
  3 cachingMode string?
  4 fsType string?
  5 readOnly bool?
  6 kind string?

AzureFileVolumeSource
  1 secretName string
  2 shareName string
  3 readOnly bool

Binding -- Puts a pod on a node.
  1 metadata meta.ObjectMeta~
  2 target ObjectReference! -- The node.

CSIVolumeSource
  1 driver string!
  2 readOnly bool?
  3 fsType string?
  4 volumeAttributes map<string,string>
  5 nodePublishSecretRef LocalObjectReference

Capabilities
  1 add []string -- Capabilities to add, without CAP_.
  2 drop []string -- Capabilities to drop; ALL for all.

CephFSVolumeSource
  1 monitors []string
  2 path string
  3 user string
  4 secretFile string
  5 secretRef LocalObjectReference
  6 readOnly bool

CinderVolumeSource
  1 volumeID string
  2 fsType string
  3 readOnly bool
  4 secretRef LocalObjectReference

ClientIPConfig
  1 timeoutSeconds int32? -- Seconds a client stays with its pod, 1 to 86400. 10800 if not given.

ClusterTrustBundleProjection
  1 name string?
  2 signerName string?
  3 labelSelector meta.LabelSelector
  4 path string
  5 optional bool?

ConfigMap -- Settings that are no secret, as keys and values, for pods to read.
  1 metadata meta.ObjectMeta~ -- Name, namespace, labels and what else every object has.
  2 data map<string,string> -- Text values. Keys are letters, digits, -, _ and dots. All values together may be 1 MiB.
  3 binaryData map<string,bytes> -- Values that are no text, as base64. No key may be in data, too.
  4 immutable bool? -- Whether the values are fixed for good; only deletion remains.

ConfigMapEnvSource
  1 localObjectReference LocalObjectReference inline
  2 optional bool? -- Whether the ConfigMap may be missing.

ConfigMapKeySelector atomic
  1 localObjectReference LocalObjectReference inline
  2 key string! -- The key to take.
  3 optional bool? -- Whether the ConfigMap or key may be missing; the container waits for it otherwise.

ConfigMapNodeConfigSource
  1 namespace string
  2 name string
  3 uid string
  4 resourceVersion string
  5 kubeletConfigKey string

ConfigMapProjection
  1 localObjectReference LocalObjectReference inline
  2 items []KeyToPath
  4 optional bool?

ConfigMapVolumeSource
  1 localObjectReference LocalObjectReference inline
  2 items []KeyToPath -- Which keys become which files; all, under their own names, if not given.
  3 defaultMode int32? -- File mode; 0644 if not given.
  4 optional bool? -- Whether the ConfigMap or its keys may be missing.

Container -- One process image to run, with its settings.
  1 name string! -- Name of the container, unique in its pod.
  2 image string -- The image to run, such as registry/name:tag or name@sha256:digest.
  3 command []string -- The program and its first arguments, instead of the image's entrypoint. $(NAME) is replaced by that environment variable.
  4 args []string -- Arguments, instead of the image's. $(NAME) is replaced by that environment variable.
  5 workingDir string -- Directory the program starts in; the image's if not given.
  6 ports []ContainerPort merge=containerPort map=containerPort,protocol=TCP -- Ports the container listens on. Naming them lets services and probes refer to them; it opens and closes nothing.
  7 env []EnvVar merge=name map=name -- Environment variables. Later ones can use earlier ones as $(NAME).
  8 resources ResourceRequirements -- What the container asks for of cpu, memory and the like, and the most it may use.
  9 volumeMounts []VolumeMount merge=mountPath map=mountPath -- Where volumes of the pod appear in the container's files.
  10 livenessProbe Probe -- Checked again and again; when it fails too often, the container is killed and started again.
  11 readinessProbe Probe -- Checked again and again; while it fails, the pod gets no traffic.
  12 lifecycle Lifecycle -- What to do right after the container starts and right before it is stopped.
  13 terminationMessagePath string -- File whose content is kept as the container's last words. /dev/termination-log if not given.
  14 imagePullPolicy string enum=Always|IfNotPresent|Never -- When the image is pulled. Always for the tag latest or no tag, else IfNotPresent.
  15 securityContext SecurityContext -- User, capabilities and other security settings. They win over the pod's.
  16 stdin bool -- Keep standard input open, for attaching to it.
  17 stdinOnce bool -- Close standard input when the first who attached leaves.
  18 tty bool -- Give the container a terminal; needs stdin.
  19 envFrom []EnvFromSource -- ConfigMaps and Secrets whose keys all become environment variables. Those in env win.
  20 terminationMessagePolicy string enum=File|FallbackToLogsOnError -- Where the last words come from: only the file, or after a failure also the end of the log.
  21 volumeDevices []VolumeDevice merge=devicePath map=devicePath -- Block devices in the container.
  22 startupProbe Probe -- Checked from the start until it succeeds once; the other probes wait for it. Failing too often kills the container.
  23 resizePolicy []ContainerResizePolicy -- Whether a change of resources restarts the container.
  24 restartPolicy string? enum=Always|OnFailure|Never -- When this container is started again, instead of the pod's rule. Always makes an init container a sidecar.
  25 restartPolicyRules []ContainerRestartRule -- Rules by exit code that decide about a restart before restartPolicy does.

ContainerExtendedResourceRequest
  1 containerName string
  2 resourceName string
  3 requestName string

ContainerImage
  1 names []string
  2 sizeBytes int64

ContainerPort -- A port a container listens on.
  1 name string -- Name of the port, at most 15 characters, unique in the pod; services can point to it.
  2 hostPort int32 -- Port of the node that leads here. Most pods need none.
  3 containerPort int32! -- Number of the port, 1 to 65535.
  4 protocol string enum=SCTP|TCP|UDP -- Protocol of the port. TCP if not given.
  5 hostIP string -- Address of the node to bind hostPort to.

ContainerResizePolicy
  1 resourceName string
  2 restartPolicy string

ContainerRestartRule
  1 action string
  2 exitCodes ContainerRestartRuleOnExitCodes

ContainerRestartRuleOnExitCodes
  1 operator string
  2 values []int32

ContainerState -- Exactly one of waiting, running and terminated.
  1 waiting ContainerStateWaiting -- It has not started, and why.
  2 running ContainerStateRunning -- It runs.
  3 terminated ContainerStateTerminated -- It has ended, and how.

ContainerStateRunning
  1 startedAt Time -- When it started.

ContainerStateTerminated
  1 exitCode int32! -- Its exit code; 128 and the signal's number if a signal ended it.
  2 signal int32 -- The signal that ended it.
  3 reason string -- How it ended, in one word: Completed, Error, OOMKilled and others.
  4 message string -- Its last words, from the termination message file or the log.
  5 startedAt Time -- When it had started.
  6 finishedAt Time -- When it ended.
  7 containerID string -- Its id at the runtime.

ContainerStateWaiting
  1 reason string -- Why it waits, in one word, such as ImagePullBackOff.
  2 message string -- Why it waits, for people.

ContainerStatus -- How one container of a pod is.
  1 name string! -- Name of the container.
  2 state ContainerState -- What it does now.
  3 lastState ContainerState -- How it ended the last time.
  4 ready bool! -- Whether its readiness probe succeeds.
  5 restartCount int32! -- How often it was started again.
  6 image string! -- The image it runs.
  7 imageID string! -- The exact image, by digest.
  8 containerID string -- Its id at the runtime, as runtime://id.
  9 started bool? -- Whether its startup probe has succeeded.
  10 allocatedResources map<string,Quantity>
  11 resources ResourceRequirements
  12 volumeMounts []VolumeMountStatus
  13 user ContainerUser
  14 allocatedResourcesStatus []ResourceStatus
  15 stopSignal string?

ContainerUser
  1 linux LinuxContainerUser

DaemonEndpoint
  1 Port int32

DownwardAPIProjection
  1 items []DownwardAPIVolumeFile

DownwardAPIVolumeFile
  1 path string! -- File to write, relative to the volume.
  2 fieldRef ObjectFieldSelector -- The pod's field to write: name, namespace, uid, labels or annotations.
  3 resourceFieldRef ResourceFieldSelector -- The container's request or limit to write.
  4 mode int32? -- Mode of this file; the volume's if not given.

DownwardAPIVolumeSource
  1 items []DownwardAPIVolumeFile -- The files.
  2 defaultMode int32? -- File mode; 0644 if not given.

EmptyDirVolumeSource
  1 medium string -- Empty for the node's disk, Memory for a memory file system, which counts against memory limits.
  2 sizeLimit Quantity -- The most it may hold; the pod is evicted beyond.

EndpointAddress
  1 ip string! -- The address.
  2 targetRef ObjectReference -- The object behind it, usually a pod.
  3 hostname string -- Host name of the endpoint.
  4 nodeName string? -- The node it is on.

EndpointPort
  1 name string -- Name of the port, as the service calls it.
  2 port int32! -- Number of the port.
  3 protocol string enum=SCTP|TCP|UDP -- TCP if not given.
  4 appProtocol string? -- Protocol spoken on the port.

EndpointSubset
  1 addresses []EndpointAddress -- Addresses that are ready.
  2 notReadyAddresses []EndpointAddress -- Addresses that exist but are not ready.
  3 ports []EndpointPort -- Ports of all these addresses.

Endpoints -- The addresses behind a service, in the old form. EndpointSlices tell more.
  1 metadata meta.ObjectMeta~ -- The name is the service's.
  2 subsets []EndpointSubset -- Addresses grouped by the ports they have in common.

EnvFromSource -- A ConfigMap or Secret whose keys become environment variables.
  1 prefix string -- Put before the name of each variable.
  2 configMapRef ConfigMapEnvSource -- The ConfigMap to take them from.
  3 secretRef SecretEnvSource -- The Secret to take them from.

EnvVar -- One environment variable.
  1 name string! -- Name of the variable.
  2 value string -- Its value; $(NAME) is replaced by an earlier variable. Empty if not given.
  3 valueFrom EnvVarSource -- Where the value comes from, instead of value.

EnvVarSource -- The source of an environment variable's value; exactly one.
  1 fieldRef ObjectFieldSelector -- A field of the pod, such as metadata.name or status.podIP.
  2 resourceFieldRef ResourceFieldSelector -- A request or limit of a container, such as limits.cpu.
  3 configMapKeyRef ConfigMapKeySelector -- A key of a ConfigMap.
  4 secretKeyRef SecretKeySelector -- A key of a Secret.
  5 fileKeyRef FileKeySelector -- A key of a file of variables in a volume.

EphemeralContainer
  1 ephemeralContainerCommon EphemeralContainerCommon inline
  2 targetContainerName string

EphemeralContainerCommon
  1 name string
  2 image string
  3 command []string
  4 args []string
  5 workingDir string
  6 ports []ContainerPort
  7 env []EnvVar
  8 resources ResourceRequirements
  9 volumeMounts []VolumeMount
  10 livenessProbe Probe
  11 readinessProbe Probe
  12 lifecycle Lifecycle
  13 terminationMessagePath string
  14 imagePullPolicy string
  15 securityContext SecurityContext
  16 stdin bool
  17 stdinOnce bool
  18 tty bool
  19 envFrom []EnvFromSource
  20 terminationMessagePolicy string
  21 volumeDevices []VolumeDevice
  22 startupProbe Probe
  23 resizePolicy []ContainerResizePolicy
  24 restartPolicy string?
  25 restartPolicyRules []ContainerRestartRule

EphemeralVolumeSource
  1 volumeClaimTemplate PersistentVolumeClaimTemplate

Event -- Something that happened to an object, kept for about an hour. Do not build on its reasons.
  1 metadata meta.ObjectMeta~ -- Name and namespace; the namespace of the object it is about.
  2 involvedObject ObjectReference! -- The object it is about.
  3 reason string -- What happened, in one word.
  4 message string -- What happened, for people.
  5 source EventSource -- Who saw it.
  6 firstTimestamp Time -- When it was first seen.
  7 lastTimestamp Time -- When it was last seen.
  8 count int32 -- How often it was seen.
  9 type string enum=Normal|Warning -- Whether it is a matter of course.
  10 eventTime MicroTime -- When it was first seen, to the microsecond.
  11 series EventSeries -- How it goes on, if it keeps happening.
  12 action string -- What was done about the object.
  13 related ObjectReference -- A second object that has to do with it.
  14 reportingComponent string -- The controller that reported it.
  15 reportingInstance string -- Which one of several such controllers.

EventSeries
  1 count int32 -- How often it was seen.
  2 lastObservedTime MicroTime -- When it was last seen.

EventSource
  1 component string -- The controller.
  2 host string -- The node it runs on.

ExecAction
  1 command []string -- The command and its arguments, run without a shell in the container.

FCVolumeSource
  1 targetWWNs []string
  2 lun int32?
  3 fsType string
  4 readOnly bool
  5 wwids []string

FileKeySelector
  1 volumeName string
  2 path string
  3 key string
  4 optional bool?

FlexVolumeSource
  1 driver string
  2 fsType string
  3 secretRef LocalObjectReference
  4 readOnly bool
  5 options map<string,string>

FlockerVolumeSource
  1 datasetName string
  2 datasetUUID string

GCEPersistentDiskVolumeSource
  1 pdName string
  2 fsType string
  3 partition int32
  4 readOnly bool

GRPCAction
  1 port int32! -- Port of the gRPC service.
  2 service string? -- Service name to ask the health of; the whole server if empty.

GitRepoVolumeSource
  1 repository string
  2 revision string
  3 directory string

GlusterfsVolumeSource
  1 endpoints string
  2 path string
  3 readOnly bool

HTTPGetAction
  1 path string -- Path to ask for. "/" if not given.
  2 port IntOrString! -- Port by number or by name.
  3 host string -- Host to connect to; the pod's address if not given. For the Host header use httpHeaders.
  4 scheme string enum=HTTP|HTTPS -- HTTP if not given.
  5 httpHeaders []HTTPHeader -- Headers to send.

HTTPHeader
  1 name string! -- Name of the header.
  2 value string! -- Its value.

HostAlias
  1 ip string! -- Address.
  2 hostnames []string -- Names for it.

HostIP
  1 ip string!

HostPathVolumeSource
  1 path string! -- Path on the node.
  2 type string? -- What must be there or is made: Directory, DirectoryOrCreate, File, FileOrCreate, Socket and others. Empty checks nothing.

ISCSIVolumeSource
  1 targetPortal string
  2 iqn string
  3 lun int32
  4 iscsiInterface string
  5 fsType string
  6 readOnly bool
  7 portals []string
  8 chapAuthDiscovery bool
  10 secretRef LocalObjectReference
  11 chapAuthSession bool
  12 initiatorName string?

ImageVolumeSource
  1 reference string -- The image.
  2 pullPolicy string enum=Always|IfNotPresent|Never -- When the image is pulled.

ImageVolumeStatus
  1 imageRef string

KeyToPath
  1 key string! -- The key.
  2 path string! -- File to write it to, relative to the volume.
  3 mode int32? -- Mode of this file; the volume's if not given.

Lifecycle -- Actions at the start and end of a container.
  1 postStart LifecycleHandler -- Runs right after the container was created. If it fails, the container is killed.
  2 preStop LifecycleHandler -- Runs before the container is asked to end, inside the time of grace.
  3 stopSignal string? -- The signal that asks the container to end; the image's or TERM if not given.

LifecycleHandler
  1 exec ExecAction -- Run a command in the container.
  2 httpGet HTTPGetAction -- Send an HTTP request.
  3 tcpSocket TCPSocketAction -- Kept for old objects; does nothing.
  4 sleep SleepAction -- Wait.

LimitRange -- Smallest, largest and usual resources of single pods and containers in a namespace.
  1 metadata meta.ObjectMeta~ -- Name, namespace, labels and what else every object has.
  2 spec LimitRangeSpec~ -- The limits.

LimitRangeItem
  1 type string! -- What is limited: Pod, Container or PersistentVolumeClaim.
  2 max map<string,Quantity> -- The most that may be asked for or allowed.
  3 min map<string,Quantity> -- The least.
  4 default map<string,Quantity> -- Limit of containers that name none.
  5 defaultRequest map<string,Quantity> -- Request of containers that name none.
  6 maxLimitRequestRatio map<string,Quantity> -- How many times its request a limit may be.

LimitRangeSpec
  1 limits []LimitRangeItem! -- One entry for each type of thing limited.

LinuxContainerUser
  1 uid int64
  2 gid int64
  3 supplementalGroups []int64

LoadBalancerIngress
  1 ip string -- Address.
  2 hostname string -- Host name, where there is no address.
  3 ipMode string?
  4 ports []PortStatus

LoadBalancerStatus
  1 ingress []LoadBalancerIngress -- Addresses it takes traffic on.

LocalObjectReference atomic
  1 name string -- Name of the object, in the same namespace.

NFSVolumeSource
  1 server string
  2 path string
  3 readOnly bool

Namespace -- A space for names: objects of most kinds live in one.
  1 metadata meta.ObjectMeta~ -- Name, labels and what else every object has.
  2 spec NamespaceSpec -- What keeps the namespace when it is deleted.
  3 status NamespaceStatus -- Whether it is in use or on its way out.

NamespaceCondition
  1 type string!
  2 status string!
  4 lastTransitionTime Time
  5 reason string
  6 message string

NamespaceSpec
  1 finalizers []string -- Who must clean up before the namespace goes; kubernetes removes its contents.

NamespaceStatus
  1 phase string enum=Active|Terminating -- Whether new objects can be made in it.
  2 conditions []NamespaceCondition merge=type map=type -- What still holds up its removal.

Node -- A machine, real or virtual, that runs pods.
  1 metadata meta.ObjectMeta~ -- Name, labels and what else every object has.
  2 spec NodeSpec -- How the node is to be used.
  3 status NodeStatus -- What the node agent reports.

NodeAddress
  1 type string! -- Hostname, InternalIP, ExternalIP and others.
  2 address string! -- The address.

NodeAffinity
  1 requiredDuringSchedulingIgnoredDuringExecution NodeSelector -- Nodes the pod must run on; looked at only when it is scheduled.
  2 preferredDuringSchedulingIgnoredDuringExecution []PreferredSchedulingTerm -- Nodes the pod would rather run on, by weight.

NodeAllocatableResourceClaimStatus
  1 resourceClaimName string
  2 containers []string
  3 resources map<string,Quantity>

NodeCondition
  1 type string! -- What the condition is about, above all Ready.
  2 status string! enum=True|False|Unknown -- Whether it holds.
  3 lastHeartbeatTime Time -- When it was last reported.
  4 lastTransitionTime Time -- When it changed last.
  5 reason string -- Why it changed last, in one word.
  6 message string -- Why it changed last, for people.

NodeConfigSource
  2 configMap ConfigMapNodeConfigSource

NodeConfigStatus
  1 assigned NodeConfigSource
  2 active NodeConfigSource
  3 lastKnownGood NodeConfigSource
  4 error string

NodeDaemonEndpoints
  1 kubeletEndpoint DaemonEndpoint

NodeFeatures
  1 supplementalGroupsPolicy bool?

NodeRuntimeHandler
  1 name string
  2 features NodeRuntimeHandlerFeatures

NodeRuntimeHandlerFeatures
  1 recursiveReadOnlyMounts bool?
  2 userNamespaces bool?

NodeSelector atomic
  1 nodeSelectorTerms []NodeSelectorTerm! -- One of them must hold.

NodeSelectorRequirement
  1 key string! -- Key of the label.
  2 operator string! -- How the label must be: In, NotIn, Exists, DoesNotExist, Gt or Lt.
  3 values []string -- The values.

NodeSelectorTerm atomic
  1 matchExpressions []NodeSelectorRequirement -- Terms about labels; all must hold.
  2 matchFields []NodeSelectorRequirement -- Terms about fields; metadata.name only.

NodeSpec
  1 podCIDR string -- Address range of the pods on it.
  2 externalID string
  3 providerID string -- Its id at the cloud that runs it.
  4 unschedulable bool -- Keep new pods away, as kubectl cordon does.
  5 taints []Taint -- Marks that keep away pods which do not tolerate them.
  6 configSource NodeConfigSource
  7 podCIDRs []string merge set -- Address ranges of the pods on it, one of each family.

NodeStatus
  1 capacity map<string,Quantity> -- All the resources it has.
  2 allocatable map<string,Quantity> -- The resources left for pods.
  3 phase string
  4 conditions []NodeCondition merge=type map=type -- What holds for it now, above all Ready.
  5 addresses []NodeAddress merge=type map=type -- Where it can be reached.
  6 daemonEndpoints NodeDaemonEndpoints -- Where its agent listens.
  7 nodeInfo NodeSystemInfo -- Versions and ids of its parts.
  8 images []ContainerImage -- Images it has.
  9 volumesInUse []string
  10 volumesAttached []AttachedVolume
  11 config NodeConfigStatus
  12 runtimeHandlers []NodeRuntimeHandler
  13 features NodeFeatures
  14 declaredFeatures []string

NodeSwapStatus
  1 capacity int64?

NodeSystemInfo
  1 machineID string -- Id of the machine.
  2 systemUUID string -- Id of the hardware.
  3 bootID string -- Id of this start of the machine.
  4 kernelVersion string -- Version of the kernel.
  5 osImage string -- The operating system.
  6 containerRuntimeVersion string -- What runs the containers.
  7 kubeletVersion string -- Version of the node agent.
  8 kubeProxyVersion string
  9 operatingSystem string -- linux, for example.
  10 architecture string -- amd64, for example.
  11 swap NodeSwapStatus

ObjectFieldSelector atomic
  1 apiVersion string -- Version of the API the path is written for. v1 if not given.
  2 fieldPath string! -- Path of the field, such as metadata.labels['app'].

ObjectReference atomic
  1 kind string -- Kind of the object.
  2 namespace string -- Namespace of the object.
  3 name string -- Name of the object.
  4 uid string -- Uid of the object.
  5 apiVersion string -- Version of the API the object is of.
  6 resourceVersion string -- The version of the object that is meant.
  7 fieldPath string -- The part of the object that is meant, such as spec.containers{web}.

PersistentVolumeClaimSpec
  1 accessModes []string
  2 resources VolumeResourceRequirements
  3 volumeName string
  4 selector meta.LabelSelector
  5 storageClassName string?
  6 volumeMode string?
  7 dataSource TypedLocalObjectReference
  8 dataSourceRef TypedObjectReference
  9 volumeAttributesClassName string?

PersistentVolumeClaimTemplate
  1 metadata meta.ObjectMeta~
  2 spec PersistentVolumeClaimSpec

PersistentVolumeClaimVolumeSource
  1 claimName string! -- Name of the claim.
  2 readOnly bool -- Whether it is mounted to be read only.

PhotonPersistentDiskVolumeSource
  1 pdID string
  2 fsType string

Pod -- The smallest thing that runs: one or more containers on one node, with shared network and volumes, and one life.
  1 metadata meta.ObjectMeta~ -- Name, namespace, labels and what else every object has.
  2 spec PodSpec~ -- What should run, and how. Most of it cannot change once the pod exists.
  3 status PodStatus -- What is known of the pod now. Written by its node, seconds behind the truth at most.

PodAffinity
  1 requiredDuringSchedulingIgnoredDuringExecution []PodAffinityTerm -- Pods it must be near.
  2 preferredDuringSchedulingIgnoredDuringExecution []WeightedPodAffinityTerm -- Pods it would rather be near, by weight.

PodAffinityTerm
  1 labelSelector meta.LabelSelector -- The other pods.
  2 namespaces []string -- Namespaces of the other pods; its own if none is given.
  3 topologyKey string! -- Node label that says what near means.
  4 namespaceSelector meta.LabelSelector -- Labels of the namespaces of the other pods.
  5 matchLabelKeys []string
  6 mismatchLabelKeys []string

PodAntiAffinity
  1 requiredDuringSchedulingIgnoredDuringExecution []PodAffinityTerm -- Pods it must not be near.
  2 preferredDuringSchedulingIgnoredDuringExecution []WeightedPodAffinityTerm -- Pods it would rather not be near, by weight.

PodCertificateProjection
  1 signerName string
  2 keyType string
  3 maxExpirationSeconds int32?
  4 credentialBundlePath string
  5 keyPath string
  6 certificateChainPath string
  7 userAnnotations map<string,string>

PodCondition -- One thing that holds for a pod or not.
  1 type string! -- What the condition is about, such as Ready.
  2 status string! enum=True|False|Unknown -- Whether it holds.
  3 lastProbeTime Time -- When it was checked last.
  4 lastTransitionTime Time -- When it changed last.
  5 reason string -- One word for why it changed last.
  6 message string -- Why it changed last, for people.
  7 observedGeneration int64 -- The generation of the spec it was found with.

PodDNSConfig
  1 nameservers []string -- Addresses of name servers, at most three.
  2 searches []string -- Domains to search.
  3 options []PodDNSConfigOption -- Options of the resolver.

PodDNSConfigOption
  1 name string
  2 value string?

PodExtendedResourceClaimStatus
  1 requestMappings []ContainerExtendedResourceRequest
  2 resourceClaimName string

PodIP
  1 ip string!

PodOS
  1 name string

PodReadinessGate
  1 conditionType string! -- Type of the condition.

PodResourceClaim
  1 name string!
  3 resourceClaimName string?
  4 resourceClaimTemplateName string?

PodResourceClaimStatus
  1 name string
  2 resourceClaimName string?

PodSchedulingGate
  1 name string! -- Name of the gate.

PodSchedulingGroup
  1 podGroupName string?

PodSecurityContext -- Security settings of all containers of a pod.
  1 seLinuxOptions SELinuxOptions
  2 runAsUser int64? -- User id to run as.
  3 runAsNonRoot bool? -- Refuse to start as root.
  4 supplementalGroups []int64 -- Further groups of every process.
  5 fsGroup int64? -- Group that owns the volumes and that all processes are in.
  6 runAsGroup int64? -- Group id to run as.
  7 sysctls []Sysctl -- Kernel settings of the pod.
  8 windowsOptions WindowsSecurityContextOptions
  9 fsGroupChangePolicy string? enum=OnRootMismatch|Always -- When the owner of a volume's files is changed.
  10 seccompProfile SeccompProfile -- Which system calls are allowed.
  11 appArmorProfile AppArmorProfile
  12 supplementalGroupsPolicy string?
  13 seLinuxChangePolicy string?

PodSpec -- What a pod runs and under which rules.
  1 volumes []Volume merge=name retainKeys map=name -- Directories that containers can mount: settings, secrets, scratch space.
  2 containers []Container! merge=name map=name -- The containers that run side by side for the pod's whole life. At least one.
  3 restartPolicy string enum=Always|OnFailure|Never -- When containers that ended are started again. Always if not given; Jobs need one of the others.
  4 terminationGracePeriodSeconds int64? -- Seconds between asking the processes to end and killing them. 30 if not given; 0 kills at once.
  5 activeDeadlineSeconds int64? -- Seconds the pod may run, counted from its start, before it is stopped and fails.
  6 dnsPolicy string enum=ClusterFirstWithHostNet|ClusterFirst|Default|None -- Where names are looked up: in the cluster first, as the node does it, or only as dnsConfig says.
  7 nodeSelector map<string,string> atomicmap -- Labels that a node must have for the pod to run there.
  8 serviceAccountName string -- The account whose name and token the pod carries when it talks to the API. "default" if not given.
  9 serviceAccount string -- Old name of serviceAccountName; kept the same as it.
  10 nodeName string -- The node the pod runs on. Filled in by the scheduler; setting it skips scheduling.
  11 hostNetwork bool -- Use the node's own network instead of one for the pod. Ports of containers are then ports of the node.
  12 hostPID bool -- See the processes of the node.
  13 hostIPC bool -- Share the node's inter-process communication.
  14 securityContext PodSecurityContext -- Users, groups and other security settings of all containers. A container's own settings win.
  15 imagePullSecrets []LocalObjectReference merge=name map=name -- Secrets with the credentials for pulling the images.
  16 hostname string -- The host name inside the pod; its own name if not given.
  17 subdomain string -- Makes the full host name hostname.subdomain.namespace.svc.<cluster domain>.
  18 affinity Affinity -- Where the pod would or must run, by nodes and by the pods already there.
  19 schedulerName string -- The scheduler that places the pod. "default-scheduler" if not given.
  20 initContainers []Container merge=name map=name -- Containers that run one after the other before the others start. Each must succeed; one with restartPolicy Always keeps running as a sidecar.
  21 automountServiceAccountToken bool? -- Whether the account's token is mounted into the containers. The account's own setting counts if this is not given.
  22 tolerations []Toleration -- Taints of nodes that do not keep the pod away.
  23 hostAliases []HostAlias merge=ip map=ip -- Further lines for the file /etc/hosts.
  24 priorityClassName string -- The PriorityClass whose value becomes the pod's priority.
  25 priority int32? -- How important the pod is among those that wait. Filled in from the priority class.
  26 dnsConfig PodDNSConfig -- Name servers, search domains and options beside those of dnsPolicy.
  27 shareProcessNamespace bool? -- Let the containers of the pod see each other's processes.
  28 readinessGates []PodReadinessGate -- Conditions set from outside that must be True, too, before the pod is ready.
  29 runtimeClassName string? -- The RuntimeClass by which the containers run; the node's usual one if not given.
  30 enableServiceLinks bool? -- Whether environment variables name the services of the namespace. True if not given.
  31 preemptionPolicy string? enum=PreemptLowerPriority|Never -- Whether the pod may push less important ones off a node.
  32 overhead map<string,Quantity> -- Resources the pod costs beside those of its containers. Comes from the runtime class.
  33 topologySpreadConstraints []TopologySpreadConstraint merge=topologyKey map=topologyKey,whenUnsatisfiable -- How evenly such pods are to be spread over zones or nodes.
  34 ephemeralContainers []EphemeralContainer merge=name map=name -- Containers added to a running pod to look at it. Set through the ephemeralcontainers subresource only.
  35 setHostnameAsFQDN bool? -- Use the full name as host name, not only its first part.
  36 os PodOS -- The operating system the pod needs.
  37 hostUsers bool? -- Use the node's user ids. False gives the pod ids of its own.
  38 schedulingGates []PodSchedulingGate merge=name map=name -- Names that keep the pod from being scheduled until all are removed. Can only be given at creation.
  39 resourceClaims []PodResourceClaim merge=name retainKeys map=name -- Devices the pod claims before it starts.
  40 resources ResourceRequirements -- Requests and limits of the pod as a whole.
  41 hostnameOverride string? -- The host name inside the pod, whatever hostname and subdomain say.
  43 schedulingGroup PodSchedulingGroup

PodStatus -- What is known of a pod. A node that cannot be reached leaves it as it last was.
  1 phase string enum=Pending|Running|Succeeded|Failed|Unknown -- Where the pod is in its life. Pending until all containers were started once; Succeeded or Failed when all have ended for good.
  2 conditions []PodCondition merge=type map=type -- What holds for the pod now: PodScheduled, Initialized, ContainersReady, Ready and others.
  3 message string -- Why the pod is in this state, for people.
  4 reason string -- Why the pod is in this state, in one word, such as Evicted.
  5 hostIP string -- Address of the node.
  6 podIP string -- Address of the pod, reachable from the cluster. Empty until it has one.
  7 startTime Time -- When the node accepted the pod, before any image was pulled.
  8 containerStatuses []ContainerStatus -- How each container is.
  9 qosClass string enum=Guaranteed|Burstable|BestEffort -- How well the pod's resources are protected, from its requests and limits. Set once at creation.
  10 initContainerStatuses []ContainerStatus -- How each init container is, in the order they run.
  11 nominatedNodeName string -- The node that others are cleared from to make room for the pod.
  12 podIPs []PodIP merge=ip map=ip -- Addresses of the pod, one of each family; the first equals podIP.
  13 ephemeralContainerStatuses []ContainerStatus -- How each ephemeral container is.
  14 resize string -- How far a change of resources has come.
  15 resourceClaimStatuses []PodResourceClaimStatus
  16 hostIPs []HostIP merge=ip -- Addresses of the node, one of each family.
  17 observedGeneration int64 -- The generation of the spec this status tells about.
  18 extendedResourceClaimStatus PodExtendedResourceClaimStatus
  19 allocatedResources map<string,Quantity>
  20 resources ResourceRequirements
  21 nodeAllocatableResourceClaimStatuses []NodeAllocatableResourceClaimStatus

PodTemplate
  1 metadata meta.ObjectMeta~
  2 template PodTemplateSpec

PodTemplateSpec -- The pod to make: its labels and annotations, and its spec.
  1 metadata meta.ObjectMeta -- Labels and annotations of the pods made from it. The selector must match the labels.
  2 spec PodSpec~ -- What the pods run.

PortStatus
  1 port int32
  2 protocol string
  3 error string?

PortworxVolumeSource
  1 volumeID string
  2 fsType string
  3 readOnly bool

PreferredSchedulingTerm
  1 weight int32! -- How much it counts, 1 to 100.
  2 preference NodeSelectorTerm! -- The nodes.

Probe -- A check of a container that is repeated. Exactly one of exec, httpGet, tcpSocket and grpc.
  1 handler ProbeHandler inline
  2 initialDelaySeconds int32 -- Seconds after the start of the container before the first check.
  3 timeoutSeconds int32 -- Seconds after which a check without answer has failed. 1 if not given.
  4 periodSeconds int32 -- Seconds between checks. 10 if not given.
  5 successThreshold int32 -- Successes in a row after a failure that count as success. 1 if not given, and always for liveness and startup.
  6 failureThreshold int32 -- Failures in a row that count as failure. 3 if not given.
  7 terminationGracePeriodSeconds int64? -- Seconds the container gets to end after this probe failed, instead of the pod's.

ProbeHandler
  1 exec ExecAction -- Run a command in the container; exit code 0 is success.
  2 httpGet HTTPGetAction -- Ask over HTTP; a status from 200 to 399 is success.
  3 tcpSocket TCPSocketAction -- Open a TCP connection; being accepted is success.
  4 grpc GRPCAction -- Ask the gRPC health service.

ProjectedVolumeSource
  1 sources []VolumeProjection -- What goes into the directory.
  2 defaultMode int32? -- File mode; 0644 if not given.

QuobyteVolumeSource
  1 registry string
  2 volume string
  3 readOnly bool
  4 user string
  5 group string
  6 tenant string

RBDVolumeSource
  1 monitors []string
  2 image string
  3 fsType string
  4 pool string
  5 user string
  6 keyring string
  7 secretRef LocalObjectReference
  8 readOnly bool

ReplicationController
  1 metadata meta.ObjectMeta~
  2 spec ReplicationControllerSpec
  3 status ReplicationControllerStatus

ReplicationControllerCondition
  1 type string
  2 status string
  3 lastTransitionTime Time
  4 reason string
  5 message string

ReplicationControllerSpec
  1 replicas int32?
  2 selector map<string,string>
  3 template PodTemplateSpec
  4 minReadySeconds int32

ReplicationControllerStatus
  1 replicas int32
  2 fullyLabeledReplicas int32
  3 observedGeneration int64
  4 readyReplicas int32
  5 availableReplicas int32
  6 conditions []ReplicationControllerCondition

ResourceClaim
  1 name string!
  2 request string

ResourceFieldSelector atomic
  1 containerName string -- The container meant. Needed in volumes; the container itself in environment variables.
  2 resource string! -- What to show: limits or requests, a dot, and cpu, memory or ephemeral-storage.
  3 divisor Quantity -- Unit to count in, such as 1m or 1Mi. 1 if not given.

ResourceHealth
  1 resourceID string
  2 health string
  6 message string?

ResourceQuota -- The most that all objects of a namespace together may use.
  1 metadata meta.ObjectMeta~ -- Name, namespace, labels and what else every object has.
  2 spec ResourceQuotaSpec~ -- What is counted, and how much of it is allowed.
  3 status ResourceQuotaStatus -- How much is used.

ResourceQuotaSpec
  1 hard map<string,Quantity> -- The most of each resource, such as pods, requests.cpu or count/jobs.batch.
  2 scopes []string -- Which pods are counted; all if not given.
  3 scopeSelector ScopeSelector -- Which pods are counted, by expressions.

ResourceQuotaStatus
  1 hard map<string,Quantity> -- The limits that are enforced.
  2 used map<string,Quantity> -- What is used now.

ResourceRequirements -- What is asked for and what is allowed of each resource.
  1 limits map<string,Quantity> -- The most the container may use. More cpu is withheld, more memory ends it.
  2 requests map<string,Quantity> -- What must be free on a node for the pod to go there. The limits if not given.
  3 claims []ResourceClaim map=name -- Devices claimed by the pod that this container uses.

ResourceStatus
  1 name string
  2 resources []ResourceHealth

SELinuxOptions
  1 user string
  2 role string
  3 type string
  4 level string

ScaleIOVolumeSource
  1 gateway string
  2 system string
  3 secretRef LocalObjectReference
  4 sslEnabled bool
  5 protectionDomain string
  6 storagePool string
  7 storageMode string
  8 volumeName string
  9 fsType string
  10 readOnly bool

ScopeSelector
  1 matchExpressions []ScopedResourceSelectorRequirement

ScopedResourceSelectorRequirement
  1 scopeName string
  2 operator string
  3 values []string

SeccompProfile
  1 type string! enum=Localhost|RuntimeDefault|Unconfined -- Where the profile comes from.
  2 localhostProfile string? -- Path of the profile on the node, for Localhost.

Secret -- Passwords, tokens, keys and the like for pods to read. Who may read Secrets of a namespace is up to RBAC.
  1 metadata meta.ObjectMeta~ -- Name, namespace, labels and what else every object has.
  2 data map<string,bytes> -- Values as base64. All together may be 1 MiB.
  3 type string -- What the secret is for; some types need certain keys. Opaque if not given. Cannot be changed.
  4 stringData map<string,string> -- Values as plain text, for writing only: they go into data.
  5 immutable bool? -- Whether the values are fixed for good; only deletion remains.

SecretEnvSource
  1 localObjectReference LocalObjectReference inline
  2 optional bool? -- Whether the Secret may be missing.

SecretKeySelector atomic
  1 localObjectReference LocalObjectReference inline
  2 key string! -- The key to take.
  3 optional bool? -- Whether the Secret or key may be missing; the container waits for it otherwise.

SecretProjection
  1 localObjectReference LocalObjectReference inline
  2 items []KeyToPath
  4 optional bool?

SecretVolumeSource
  1 secretName string -- Name of the Secret.
  2 items []KeyToPath -- Which keys become which files; all, under their own names, if not given.
  3 defaultMode int32? -- File mode; 0644 if not given.
  4 optional bool? -- Whether the Secret or its keys may be missing.

SecurityContext -- Security settings of one container.
  1 capabilities Capabilities -- Linux capabilities to add and drop.
  2 privileged bool? -- Run with all rights of the node. False if not given.
  3 seLinuxOptions SELinuxOptions -- SELinux labels.
  4 runAsUser int64? -- User id to run as; the image's if not given.
  5 runAsNonRoot bool? -- Refuse to start as root.
  6 readOnlyRootFilesystem bool? -- Whether the container's own files are read-only.
  7 allowPrivilegeEscalation bool? -- Whether a process can gain more rights than its parent.
  8 runAsGroup int64? -- Group id to run as.
  9 procMount string? -- How much of /proc is masked.
  10 windowsOptions WindowsSecurityContextOptions
  11 seccompProfile SeccompProfile -- Which system calls are allowed.
  12 appArmorProfile AppArmorProfile -- AppArmor profile.

Service -- A steady name and address for a changing set of pods.
  1 metadata meta.ObjectMeta~ -- Name, namespace, labels and what else every object has. The name is the service's DNS name.
  2 spec ServiceSpec~ -- Which pods serve, on which ports, and who can reach them.
  3 status ServiceStatus -- What is known of the service now; load balancers write it.

ServiceAccount -- An identity for the processes in pods.
  1 metadata meta.ObjectMeta~ -- Name, namespace, labels and what else every object has.
  2 secrets []ObjectReference merge=name map=name -- Secrets that pods of this account may use.
  3 imagePullSecrets []LocalObjectReference -- Secrets for pulling images, given to pods of this account.
  4 automountServiceAccountToken bool? -- Whether pods of this account get its token mounted; a pod's own setting wins.

ServiceAccountTokenProjection
  1 audience string -- Who the token is meant for; the API server if not given.
  2 expirationSeconds int64? -- Seconds the token is good for, at least 600. 3600 if not given.
  3 path string! -- File to write it to.

ServicePort -- One port of a service.
  1 name string -- Name of the port; needed if there are several.
  2 protocol string enum=SCTP|TCP|UDP -- TCP if not given.
  3 port int32! -- The service's own port.
  4 targetPort IntOrString -- Port of the pods, by number or by name. The same as port if not given.
  5 nodePort int32 -- Port on every node, 30000 to 32767; given by the server if not set.
  6 appProtocol string? -- Protocol spoken on the port, such as kubernetes.io/h2c.

ServiceSpec -- How a service finds its pods and how it is reached.
  1 ports []ServicePort merge=port map=port,protocol=TCP -- The ports of the service. At least one, unless it is headless or an external name.
  2 selector map<string,string> atomicmap -- Labels of the pods that serve. Without it, Endpoints or EndpointSlices are yours to write.
  3 clusterIP string -- Address inside the cluster. Given by the server; None for a headless service, whose name leads to the pods themselves. Cannot be changed.
  4 type string enum=ClusterIP|ExternalName|LoadBalancer|NodePort -- How it can be reached: inside the cluster, also on a port of every node, also through a load balancer, or as another name for an outside host.
  5 externalIPs []string -- Addresses of nodes, managed by you, that also lead to the service.
  7 sessionAffinity string enum=ClientIP|None -- Whether requests of one client go to the same pod.
  8 loadBalancerIP string -- Address wished for at the load balancer; not all can do it.
  9 loadBalancerSourceRanges []string -- Address ranges the load balancer lets in.
  10 externalName string -- The host name an ExternalName service stands for.
  11 externalTrafficPolicy string enum=Cluster|Local -- Whether traffic from outside goes to all pods or only to those on the node it came to.
  12 healthCheckNodePort int32 -- Node port where load balancers ask whether a node has pods.
  13 publishNotReadyAddresses bool -- Whether pods that are not ready are published as if they were.
  14 sessionAffinityConfig SessionAffinityConfig -- How long they do.
  17 ipFamilyPolicy string? enum=SingleStack|PreferDualStack|RequireDualStack -- Whether it has one family or both.
  18 clusterIPs []string -- Addresses inside the cluster, one of each family; the first equals clusterIP.
  19 ipFamilies []string -- Address families of the service, IPv4 and IPv6, first one first.
  20 allocateLoadBalancerNodePorts bool? -- Whether a LoadBalancer service gets node ports, too. True if not given.
  21 loadBalancerClass string? -- Which load balancer implementation serves it.
  22 internalTrafficPolicy string? enum=Cluster|Local -- Whether traffic from inside goes to all pods or only to those on the same node.
  23 trafficDistribution string? -- Preference among pods, such as PreferClose.

ServiceStatus
  1 loadBalancer LoadBalancerStatus -- Where the load balancer can be reached.
  2 conditions []meta.Condition merge=type map=type -- What holds for the service now.

SessionAffinityConfig
  1 clientIP ClientIPConfig -- Settings of affinity by client address.

SleepAction
  1 seconds int64 -- Seconds to wait.

StorageOSVolumeSource
  1 volumeName string
  2 volumeNamespace string
  3 fsType string
  4 readOnly bool
  5 secretRef LocalObjectReference

Sysctl
  1 name string!
  2 value string!

TCPSocketAction
  1 port IntOrString! -- Port by number or by name.
  2 host string -- Host to connect to; the pod's address if not given.

Taint
  1 key string! -- Key of the taint.
  2 value string -- Value that goes with it.
  3 effect string! enum=NoSchedule|PreferNoSchedule|NoExecute -- What happens to pods that do not tolerate it: no new ones, rather none, or also none that run.
  4 timeAdded Time -- When it was put there.

Toleration -- Lets a pod run on nodes with matching taints.
  1 key string -- Key of the taint; empty with operator Exists matches every key.
  2 operator string enum=Equal|Exists -- Whether the value must be equal or the key be there. Equal if not given.
  3 value string -- Value of the taint, for Equal.
  4 effect string enum=NoSchedule|PreferNoSchedule|NoExecute -- Effect of the taint; all if empty.
  5 tolerationSeconds int64? -- Seconds the pod stays after a NoExecute taint appears; for ever if not given.

TopologySpreadConstraint
  1 maxSkew int32! -- How much more pods one place may have than another.
  2 topologyKey string! -- Node label that says which nodes are one place.
  3 whenUnsatisfiable string! enum=DoNotSchedule|ScheduleAnyway -- What happens to a pod that would break the rule.
  4 labelSelector meta.LabelSelector -- Which pods are counted.
  5 minDomains int32? -- Fewest places there should be.
  6 nodeAffinityPolicy string?
  7 nodeTaintsPolicy string?
  8 matchLabelKeys []string

TypedLocalObjectReference atomic
  1 apiGroup string?
  2 kind string
  3 name string

TypedObjectReference
  1 apiGroup string?
  2 kind string
  3 name string
  4 namespace string?

Volume -- A directory that containers of the pod can mount. One source; an emptyDir if none is given.
  1 name string! -- Name of the volume, unique in the pod.
  2 volumeSource VolumeSource inline

VolumeDevice
  1 name string!
  2 devicePath string!

VolumeMount -- A place in a container's files where a volume appears.
  1 name string! -- Name of the volume.
  2 readOnly bool -- Whether the container can only read it.
  3 mountPath string! -- Path in the container.
  4 subPath string -- Path inside the volume to show instead of its root.
  5 mountPropagation string? enum=Bidirectional|HostToContainer|None -- Whether mounts made later on the node or in the container are seen on the other side.
  6 subPathExpr string -- Like subPath, with $(NAME) replaced by environment variables.
  7 recursiveReadOnly string? -- Whether mounts below a read-only one are read-only, too.

VolumeMountStatus
  1 name string
  2 mountPath string
  3 readOnly bool
  4 recursiveReadOnly string?
  5 volumeStatus VolumeStatus

VolumeProjection
  1 secret SecretProjection -- Keys of a Secret.
  2 downwardAPI DownwardAPIProjection -- Fields of the pod.
  3 configMap ConfigMapProjection -- Keys of a ConfigMap.
  4 serviceAccountToken ServiceAccountTokenProjection -- A token of the pod's account, renewed before it expires.
  5 clusterTrustBundle ClusterTrustBundleProjection
  6 podCertificate PodCertificateProjection

VolumeResourceRequirements
  1 limits map<string,Quantity>
  2 requests map<string,Quantity>

VolumeSource
  1 hostPath HostPathVolumeSource -- A file or directory of the node. Dangerous: it leads out of the container.
  2 emptyDir EmptyDirVolumeSource -- An empty directory that lives as long as the pod.
  3 gcePersistentDisk GCEPersistentDiskVolumeSource
  4 awsElasticBlockStore AWSElasticBlockStoreVolumeSource
  5 gitRepo GitRepoVolumeSource
  6 secret SecretVolumeSource -- The keys of a Secret as files.
  7 nfs NFSVolumeSource -- A directory of an NFS server.
  8 iscsi ISCSIVolumeSource
  9 glusterfs GlusterfsVolumeSource
  10 persistentVolumeClaim PersistentVolumeClaimVolumeSource -- Storage that outlives the pod, by the name of a claim.
  11 rbd RBDVolumeSource
  12 flexVolume FlexVolumeSource
  13 cinder CinderVolumeSource
  14 cephfs CephFSVolumeSource
  15 flocker FlockerVolumeSource
  16 downwardAPI DownwardAPIVolumeSource -- Fields of the pod as files.
  17 fc FCVolumeSource
  18 azureFile AzureFileVolumeSource
  19 configMap ConfigMapVolumeSource -- The keys of a ConfigMap as files.
  20 vsphereVolume VsphereVirtualDiskVolumeSource
  21 quobyte QuobyteVolumeSource
  22 azureDisk AzureDiskVolumeSource
  23 photonPersistentDisk PhotonPersistentDiskVolumeSource
  24 portworxVolume PortworxVolumeSource
  25 scaleIO ScaleIOVolumeSource
  26 projected ProjectedVolumeSource -- Several sources in one directory.
  27 storageos StorageOSVolumeSource
  28 csi CSIVolumeSource -- Storage from a CSI driver, for the life of the pod.
  29 ephemeral EphemeralVolumeSource -- Storage by a claim made for the pod and removed with it.
  30 image ImageVolumeSource -- The files of an image, read-only.

VolumeStatus
  1 image ImageVolumeStatus

VsphereVirtualDiskVolumeSource
  1 volumePath string
  2 fsType string
  3 storagePolicyName string
  4 storagePolicyID string

WeightedPodAffinityTerm
  1 weight int32! -- How much it counts, 1 to 100.
  2 podAffinityTerm PodAffinityTerm! -- The rule.

WindowsSecurityContextOptions
  1 gmsaCredentialSpecName string?
  2 gmsaCredentialSpec string?
  3 runAsUserName string?
  4 hostProcess bool?
`;
