// Written by scripts/gen-api-types.ts from the field tables beside it; do not edit.
import type { TypeMeta } from "../meta/type-meta.ts";
import type { Condition, LabelSelector, ObjectMeta } from "../meta/types.gen.ts";

export interface AWSElasticBlockStoreVolumeSource {
  readonly volumeID?: string;
  readonly fsType?: string;
  readonly partition?: number;
  readonly readOnly?: boolean;
}

export interface Affinity {
  /** Rules about nodes. */
  readonly nodeAffinity?: NodeAffinity;
  /** Rules about being near other pods. */
  readonly podAffinity?: PodAffinity;
  /** Rules about being away from other pods. */
  readonly podAntiAffinity?: PodAntiAffinity;
}

export interface AppArmorProfile {
  readonly type: string;
  readonly localhostProfile?: string;
}

export interface AttachedVolume {
  readonly name?: string;
  readonly devicePath?: string;
}

export interface AzureDiskVolumeSource {
  readonly diskName?: string;
  readonly diskURI?: string;
  readonly cachingMode?: string;
  readonly fsType?: string;
  readonly readOnly?: boolean;
  readonly kind?: string;
}

export interface AzureFileVolumeSource {
  readonly secretName?: string;
  readonly shareName?: string;
  readonly readOnly?: boolean;
}

export interface Binding extends TypeMeta {
  readonly metadata: ObjectMeta;
  /** The node. */
  readonly target: ObjectReference;
}

export interface CSIVolumeSource {
  readonly driver: string;
  readonly readOnly?: boolean;
  readonly fsType?: string;
  readonly volumeAttributes?: Readonly<Record<string, string>>;
  readonly nodePublishSecretRef?: LocalObjectReference;
}

export interface Capabilities {
  /** Capabilities to add, without CAP_. */
  readonly add?: readonly string[];
  /** Capabilities to drop; ALL for all. */
  readonly drop?: readonly string[];
}

export interface CephFSVolumeSource {
  readonly monitors?: readonly string[];
  readonly path?: string;
  readonly user?: string;
  readonly secretFile?: string;
  readonly secretRef?: LocalObjectReference;
  readonly readOnly?: boolean;
}

export interface CinderVolumeSource {
  readonly volumeID?: string;
  readonly fsType?: string;
  readonly readOnly?: boolean;
  readonly secretRef?: LocalObjectReference;
}

export interface ClientIPConfig {
  /** Seconds a client stays with its pod, 1 to 86400. 10800 if not given. */
  readonly timeoutSeconds?: number;
}

export interface ClusterTrustBundleProjection {
  readonly name?: string;
  readonly signerName?: string;
  readonly labelSelector?: LabelSelector;
  readonly path?: string;
  readonly optional?: boolean;
}

export interface ConfigMap extends TypeMeta {
  /** Name, namespace, labels and what else every object has. */
  readonly metadata: ObjectMeta;
  /** Text values. Keys are letters, digits, -, _ and dots. All values together may be 1 MiB. */
  readonly data?: Readonly<Record<string, string>>;
  /** Values that are no text, as base64. No key may be in data, too. */
  readonly binaryData?: Readonly<Record<string, string>>;
  /** Whether the values are fixed for good; only deletion remains. */
  readonly immutable?: boolean;
}

export interface ConfigMapEnvSource extends LocalObjectReference {
  /** Whether the ConfigMap may be missing. */
  readonly optional?: boolean;
}

export interface ConfigMapKeySelector extends LocalObjectReference {
  /** The key to take. */
  readonly key: string;
  /** Whether the ConfigMap or key may be missing; the container waits for it otherwise. */
  readonly optional?: boolean;
}

export interface ConfigMapNodeConfigSource {
  readonly namespace?: string;
  readonly name?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly kubeletConfigKey?: string;
}

export interface ConfigMapProjection extends LocalObjectReference {
  readonly items?: readonly KeyToPath[];
  readonly optional?: boolean;
}

export interface ConfigMapVolumeSource extends LocalObjectReference {
  /** Which keys become which files; all, under their own names, if not given. */
  readonly items?: readonly KeyToPath[];
  /** File mode; 0644 if not given. */
  readonly defaultMode?: number;
  /** Whether the ConfigMap or its keys may be missing. */
  readonly optional?: boolean;
}

export interface Container {
  /** Name of the container, unique in its pod. */
  readonly name: string;
  /** The image to run, such as registry/name:tag or name@sha256:digest. */
  readonly image?: string;
  /** The program and its first arguments, instead of the image's entrypoint. $(NAME) is replaced by that environment variable. */
  readonly command?: readonly string[];
  /** Arguments, instead of the image's. $(NAME) is replaced by that environment variable. */
  readonly args?: readonly string[];
  /** Directory the program starts in; the image's if not given. */
  readonly workingDir?: string;
  /** Ports the container listens on. Naming them lets services and probes refer to them; it opens and closes nothing. */
  readonly ports?: readonly ContainerPort[];
  /** Environment variables. Later ones can use earlier ones as $(NAME). */
  readonly env?: readonly EnvVar[];
  /** What the container asks for of cpu, memory and the like, and the most it may use. */
  readonly resources?: ResourceRequirements;
  /** Where volumes of the pod appear in the container's files. */
  readonly volumeMounts?: readonly VolumeMount[];
  /** Checked again and again; when it fails too often, the container is killed and started again. */
  readonly livenessProbe?: Probe;
  /** Checked again and again; while it fails, the pod gets no traffic. */
  readonly readinessProbe?: Probe;
  /** What to do right after the container starts and right before it is stopped. */
  readonly lifecycle?: Lifecycle;
  /** File whose content is kept as the container's last words. /dev/termination-log if not given. */
  readonly terminationMessagePath?: string;
  /** When the image is pulled. Always for the tag latest or no tag, else IfNotPresent. */
  readonly imagePullPolicy?: string;
  /** User, capabilities and other security settings. They win over the pod's. */
  readonly securityContext?: SecurityContext;
  /** Keep standard input open, for attaching to it. */
  readonly stdin?: boolean;
  /** Close standard input when the first who attached leaves. */
  readonly stdinOnce?: boolean;
  /** Give the container a terminal; needs stdin. */
  readonly tty?: boolean;
  /** ConfigMaps and Secrets whose keys all become environment variables. Those in env win. */
  readonly envFrom?: readonly EnvFromSource[];
  /** Where the last words come from: only the file, or after a failure also the end of the log. */
  readonly terminationMessagePolicy?: string;
  /** Block devices in the container. */
  readonly volumeDevices?: readonly VolumeDevice[];
  /** Checked from the start until it succeeds once; the other probes wait for it. Failing too often kills the container. */
  readonly startupProbe?: Probe;
  /** Whether a change of resources restarts the container. */
  readonly resizePolicy?: readonly ContainerResizePolicy[];
  /** When this container is started again, instead of the pod's rule. Always makes an init container a sidecar. */
  readonly restartPolicy?: string;
  /** Rules by exit code that decide about a restart before restartPolicy does. */
  readonly restartPolicyRules?: readonly ContainerRestartRule[];
}

export interface ContainerExtendedResourceRequest {
  readonly containerName?: string;
  readonly resourceName?: string;
  readonly requestName?: string;
}

export interface ContainerImage {
  readonly names?: readonly string[];
  readonly sizeBytes?: number;
}

export interface ContainerPort {
  /** Name of the port, at most 15 characters, unique in the pod; services can point to it. */
  readonly name?: string;
  /** Port of the node that leads here. Most pods need none. */
  readonly hostPort?: number;
  /** Number of the port, 1 to 65535. */
  readonly containerPort: number;
  /** Protocol of the port. TCP if not given. */
  readonly protocol?: string;
  /** Address of the node to bind hostPort to. */
  readonly hostIP?: string;
}

export interface ContainerResizePolicy {
  readonly resourceName?: string;
  readonly restartPolicy?: string;
}

export interface ContainerRestartRule {
  readonly action?: string;
  readonly exitCodes?: ContainerRestartRuleOnExitCodes;
}

export interface ContainerRestartRuleOnExitCodes {
  readonly operator?: string;
  readonly values?: readonly number[];
}

export interface ContainerState {
  /** It has not started, and why. */
  readonly waiting?: ContainerStateWaiting;
  /** It runs. */
  readonly running?: ContainerStateRunning;
  /** It has ended, and how. */
  readonly terminated?: ContainerStateTerminated;
}

export interface ContainerStateRunning {
  /** When it started. */
  readonly startedAt?: string;
}

export interface ContainerStateTerminated {
  /** Its exit code; 128 and the signal's number if a signal ended it. */
  readonly exitCode: number;
  /** The signal that ended it. */
  readonly signal?: number;
  /** How it ended, in one word: Completed, Error, OOMKilled and others. */
  readonly reason?: string;
  /** Its last words, from the termination message file or the log. */
  readonly message?: string;
  /** When it had started. */
  readonly startedAt?: string;
  /** When it ended. */
  readonly finishedAt?: string;
  /** Its id at the runtime. */
  readonly containerID?: string;
}

export interface ContainerStateWaiting {
  /** Why it waits, in one word, such as ImagePullBackOff. */
  readonly reason?: string;
  /** Why it waits, for people. */
  readonly message?: string;
}

export interface ContainerStatus {
  /** Name of the container. */
  readonly name: string;
  /** What it does now. */
  readonly state?: ContainerState;
  /** How it ended the last time. */
  readonly lastState?: ContainerState;
  /** Whether its readiness probe succeeds. */
  readonly ready: boolean;
  /** How often it was started again. */
  readonly restartCount: number;
  /** The image it runs. */
  readonly image: string;
  /** The exact image, by digest. */
  readonly imageID: string;
  /** Its id at the runtime, as runtime://id. */
  readonly containerID?: string;
  /** Whether its startup probe has succeeded. */
  readonly started?: boolean;
  readonly allocatedResources?: Readonly<Record<string, string>>;
  readonly resources?: ResourceRequirements;
  readonly volumeMounts?: readonly VolumeMountStatus[];
  readonly user?: ContainerUser;
  readonly allocatedResourcesStatus?: readonly ResourceStatus[];
  readonly stopSignal?: string;
}

export interface ContainerUser {
  readonly linux?: LinuxContainerUser;
}

export interface DaemonEndpoint {
  readonly Port?: number;
}

export interface DownwardAPIProjection {
  readonly items?: readonly DownwardAPIVolumeFile[];
}

export interface DownwardAPIVolumeFile {
  /** File to write, relative to the volume. */
  readonly path: string;
  /** The pod's field to write: name, namespace, uid, labels or annotations. */
  readonly fieldRef?: ObjectFieldSelector;
  /** The container's request or limit to write. */
  readonly resourceFieldRef?: ResourceFieldSelector;
  /** Mode of this file; the volume's if not given. */
  readonly mode?: number;
}

export interface DownwardAPIVolumeSource {
  /** The files. */
  readonly items?: readonly DownwardAPIVolumeFile[];
  /** File mode; 0644 if not given. */
  readonly defaultMode?: number;
}

export interface EmptyDirVolumeSource {
  /** Empty for the node's disk, Memory for a memory file system, which counts against memory limits. */
  readonly medium?: string;
  /** The most it may hold; the pod is evicted beyond. */
  readonly sizeLimit?: string;
}

export interface EndpointAddress {
  /** The address. */
  readonly ip: string;
  /** The object behind it, usually a pod. */
  readonly targetRef?: ObjectReference;
  /** Host name of the endpoint. */
  readonly hostname?: string;
  /** The node it is on. */
  readonly nodeName?: string;
}

export interface EndpointPort {
  /** Name of the port, as the service calls it. */
  readonly name?: string;
  /** Number of the port. */
  readonly port: number;
  /** TCP if not given. */
  readonly protocol?: string;
  /** Protocol spoken on the port. */
  readonly appProtocol?: string;
}

export interface EndpointSubset {
  /** Addresses that are ready. */
  readonly addresses?: readonly EndpointAddress[];
  /** Addresses that exist but are not ready. */
  readonly notReadyAddresses?: readonly EndpointAddress[];
  /** Ports of all these addresses. */
  readonly ports?: readonly EndpointPort[];
}

export interface Endpoints extends TypeMeta {
  /** The name is the service's. */
  readonly metadata: ObjectMeta;
  /** Addresses grouped by the ports they have in common. */
  readonly subsets?: readonly EndpointSubset[];
}

export interface EnvFromSource {
  /** Put before the name of each variable. */
  readonly prefix?: string;
  /** The ConfigMap to take them from. */
  readonly configMapRef?: ConfigMapEnvSource;
  /** The Secret to take them from. */
  readonly secretRef?: SecretEnvSource;
}

export interface EnvVar {
  /** Name of the variable. */
  readonly name: string;
  /** Its value; $(NAME) is replaced by an earlier variable. Empty if not given. */
  readonly value?: string;
  /** Where the value comes from, instead of value. */
  readonly valueFrom?: EnvVarSource;
}

export interface EnvVarSource {
  /** A field of the pod, such as metadata.name or status.podIP. */
  readonly fieldRef?: ObjectFieldSelector;
  /** A request or limit of a container, such as limits.cpu. */
  readonly resourceFieldRef?: ResourceFieldSelector;
  /** A key of a ConfigMap. */
  readonly configMapKeyRef?: ConfigMapKeySelector;
  /** A key of a Secret. */
  readonly secretKeyRef?: SecretKeySelector;
  /** A key of a file of variables in a volume. */
  readonly fileKeyRef?: FileKeySelector;
}

export interface EphemeralContainer extends EphemeralContainerCommon {
  readonly targetContainerName?: string;
}

export interface EphemeralContainerCommon {
  readonly name?: string;
  readonly image?: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly workingDir?: string;
  readonly ports?: readonly ContainerPort[];
  readonly env?: readonly EnvVar[];
  readonly resources?: ResourceRequirements;
  readonly volumeMounts?: readonly VolumeMount[];
  readonly livenessProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly lifecycle?: Lifecycle;
  readonly terminationMessagePath?: string;
  readonly imagePullPolicy?: string;
  readonly securityContext?: SecurityContext;
  readonly stdin?: boolean;
  readonly stdinOnce?: boolean;
  readonly tty?: boolean;
  readonly envFrom?: readonly EnvFromSource[];
  readonly terminationMessagePolicy?: string;
  readonly volumeDevices?: readonly VolumeDevice[];
  readonly startupProbe?: Probe;
  readonly resizePolicy?: readonly ContainerResizePolicy[];
  readonly restartPolicy?: string;
  readonly restartPolicyRules?: readonly ContainerRestartRule[];
}

export interface EphemeralVolumeSource {
  readonly volumeClaimTemplate?: PersistentVolumeClaimTemplate;
}

export interface Event extends TypeMeta {
  /** Name and namespace; the namespace of the object it is about. */
  readonly metadata: ObjectMeta;
  /** The object it is about. */
  readonly involvedObject: ObjectReference;
  /** What happened, in one word. */
  readonly reason?: string;
  /** What happened, for people. */
  readonly message?: string;
  /** Who saw it. */
  readonly source?: EventSource;
  /** When it was first seen. */
  readonly firstTimestamp?: string;
  /** When it was last seen. */
  readonly lastTimestamp?: string;
  /** How often it was seen. */
  readonly count?: number;
  /** Whether it is a matter of course. */
  readonly type?: string;
  /** When it was first seen, to the microsecond. */
  readonly eventTime?: string;
  /** How it goes on, if it keeps happening. */
  readonly series?: EventSeries;
  /** What was done about the object. */
  readonly action?: string;
  /** A second object that has to do with it. */
  readonly related?: ObjectReference;
  /** The controller that reported it. */
  readonly reportingComponent?: string;
  /** Which one of several such controllers. */
  readonly reportingInstance?: string;
}

export interface EventSeries {
  /** How often it was seen. */
  readonly count?: number;
  /** When it was last seen. */
  readonly lastObservedTime?: string;
}

export interface EventSource {
  /** The controller. */
  readonly component?: string;
  /** The node it runs on. */
  readonly host?: string;
}

export interface ExecAction {
  /** The command and its arguments, run without a shell in the container. */
  readonly command?: readonly string[];
}

export interface FCVolumeSource {
  readonly targetWWNs?: readonly string[];
  readonly lun?: number;
  readonly fsType?: string;
  readonly readOnly?: boolean;
  readonly wwids?: readonly string[];
}

export interface FileKeySelector {
  readonly volumeName?: string;
  readonly path?: string;
  readonly key?: string;
  readonly optional?: boolean;
}

export interface FlexVolumeSource {
  readonly driver?: string;
  readonly fsType?: string;
  readonly secretRef?: LocalObjectReference;
  readonly readOnly?: boolean;
  readonly options?: Readonly<Record<string, string>>;
}

export interface FlockerVolumeSource {
  readonly datasetName?: string;
  readonly datasetUUID?: string;
}

export interface GCEPersistentDiskVolumeSource {
  readonly pdName?: string;
  readonly fsType?: string;
  readonly partition?: number;
  readonly readOnly?: boolean;
}

export interface GRPCAction {
  /** Port of the gRPC service. */
  readonly port: number;
  /** Service name to ask the health of; the whole server if empty. */
  readonly service?: string;
}

export interface GitRepoVolumeSource {
  readonly repository?: string;
  readonly revision?: string;
  readonly directory?: string;
}

export interface GlusterfsVolumeSource {
  readonly endpoints?: string;
  readonly path?: string;
  readonly readOnly?: boolean;
}

export interface HTTPGetAction {
  /** Path to ask for. "/" if not given. */
  readonly path?: string;
  /** Port by number or by name. */
  readonly port: number | string;
  /** Host to connect to; the pod's address if not given. For the Host header use httpHeaders. */
  readonly host?: string;
  /** HTTP if not given. */
  readonly scheme?: string;
  /** Headers to send. */
  readonly httpHeaders?: readonly HTTPHeader[];
}

export interface HTTPHeader {
  /** Name of the header. */
  readonly name: string;
  /** Its value. */
  readonly value: string;
}

export interface HostAlias {
  /** Address. */
  readonly ip: string;
  /** Names for it. */
  readonly hostnames?: readonly string[];
}

export interface HostIP {
  readonly ip: string;
}

export interface HostPathVolumeSource {
  /** Path on the node. */
  readonly path: string;
  /** What must be there or is made: Directory, DirectoryOrCreate, File, FileOrCreate, Socket and others. Empty checks nothing. */
  readonly type?: string;
}

export interface ISCSIVolumeSource {
  readonly targetPortal?: string;
  readonly iqn?: string;
  readonly lun?: number;
  readonly iscsiInterface?: string;
  readonly fsType?: string;
  readonly readOnly?: boolean;
  readonly portals?: readonly string[];
  readonly chapAuthDiscovery?: boolean;
  readonly secretRef?: LocalObjectReference;
  readonly chapAuthSession?: boolean;
  readonly initiatorName?: string;
}

export interface ImageVolumeSource {
  /** The image. */
  readonly reference?: string;
  /** When the image is pulled. */
  readonly pullPolicy?: string;
}

export interface ImageVolumeStatus {
  readonly imageRef?: string;
}

export interface KeyToPath {
  /** The key. */
  readonly key: string;
  /** File to write it to, relative to the volume. */
  readonly path: string;
  /** Mode of this file; the volume's if not given. */
  readonly mode?: number;
}

export interface Lifecycle {
  /** Runs right after the container was created. If it fails, the container is killed. */
  readonly postStart?: LifecycleHandler;
  /** Runs before the container is asked to end, inside the time of grace. */
  readonly preStop?: LifecycleHandler;
  /** The signal that asks the container to end; the image's or TERM if not given. */
  readonly stopSignal?: string;
}

export interface LifecycleHandler {
  /** Run a command in the container. */
  readonly exec?: ExecAction;
  /** Send an HTTP request. */
  readonly httpGet?: HTTPGetAction;
  /** Kept for old objects; does nothing. */
  readonly tcpSocket?: TCPSocketAction;
  /** Wait. */
  readonly sleep?: SleepAction;
}

export interface LimitRange extends TypeMeta {
  /** Name, namespace, labels and what else every object has. */
  readonly metadata: ObjectMeta;
  /** The limits. */
  readonly spec: LimitRangeSpec;
}

export interface LimitRangeItem {
  /** What is limited: Pod, Container or PersistentVolumeClaim. */
  readonly type: string;
  /** The most that may be asked for or allowed. */
  readonly max?: Readonly<Record<string, string>>;
  /** The least. */
  readonly min?: Readonly<Record<string, string>>;
  /** Limit of containers that name none. */
  readonly default?: Readonly<Record<string, string>>;
  /** Request of containers that name none. */
  readonly defaultRequest?: Readonly<Record<string, string>>;
  /** How many times its request a limit may be. */
  readonly maxLimitRequestRatio?: Readonly<Record<string, string>>;
}

export interface LimitRangeSpec {
  /** One entry for each type of thing limited. */
  readonly limits: readonly LimitRangeItem[];
}

export interface LinuxContainerUser {
  readonly uid?: number;
  readonly gid?: number;
  readonly supplementalGroups?: readonly number[];
}

export interface LoadBalancerIngress {
  /** Address. */
  readonly ip?: string;
  /** Host name, where there is no address. */
  readonly hostname?: string;
  readonly ipMode?: string;
  readonly ports?: readonly PortStatus[];
}

export interface LoadBalancerStatus {
  /** Addresses it takes traffic on. */
  readonly ingress?: readonly LoadBalancerIngress[];
}

export interface LocalObjectReference {
  /** Name of the object, in the same namespace. */
  readonly name?: string;
}

export interface NFSVolumeSource {
  readonly server?: string;
  readonly path?: string;
  readonly readOnly?: boolean;
}

export interface Namespace extends TypeMeta {
  /** Name, labels and what else every object has. */
  readonly metadata: ObjectMeta;
  /** What keeps the namespace when it is deleted. */
  readonly spec?: NamespaceSpec;
  /** Whether it is in use or on its way out. */
  readonly status?: NamespaceStatus;
}

export interface NamespaceCondition {
  readonly type: string;
  readonly status: string;
  readonly lastTransitionTime?: string;
  readonly reason?: string;
  readonly message?: string;
}

export interface NamespaceSpec {
  /** Who must clean up before the namespace goes; kubernetes removes its contents. */
  readonly finalizers?: readonly string[];
}

export interface NamespaceStatus {
  /** Whether new objects can be made in it. */
  readonly phase?: string;
  /** What still holds up its removal. */
  readonly conditions?: readonly NamespaceCondition[];
}

export interface Node extends TypeMeta {
  /** Name, labels and what else every object has. */
  readonly metadata: ObjectMeta;
  /** How the node is to be used. */
  readonly spec?: NodeSpec;
  /** What the node agent reports. */
  readonly status?: NodeStatus;
}

export interface NodeAddress {
  /** Hostname, InternalIP, ExternalIP and others. */
  readonly type: string;
  /** The address. */
  readonly address: string;
}

export interface NodeAffinity {
  /** Nodes the pod must run on; looked at only when it is scheduled. */
  readonly requiredDuringSchedulingIgnoredDuringExecution?: NodeSelector;
  /** Nodes the pod would rather run on, by weight. */
  readonly preferredDuringSchedulingIgnoredDuringExecution?: readonly PreferredSchedulingTerm[];
}

export interface NodeAllocatableResourceClaimStatus {
  readonly resourceClaimName?: string;
  readonly containers?: readonly string[];
  readonly resources?: Readonly<Record<string, string>>;
}

export interface NodeCondition {
  /** What the condition is about, above all Ready. */
  readonly type: string;
  /** Whether it holds. */
  readonly status: string;
  /** When it was last reported. */
  readonly lastHeartbeatTime?: string;
  /** When it changed last. */
  readonly lastTransitionTime?: string;
  /** Why it changed last, in one word. */
  readonly reason?: string;
  /** Why it changed last, for people. */
  readonly message?: string;
}

export interface NodeConfigSource {
  readonly configMap?: ConfigMapNodeConfigSource;
}

export interface NodeConfigStatus {
  readonly assigned?: NodeConfigSource;
  readonly active?: NodeConfigSource;
  readonly lastKnownGood?: NodeConfigSource;
  readonly error?: string;
}

export interface NodeDaemonEndpoints {
  readonly kubeletEndpoint?: DaemonEndpoint;
}

export interface NodeFeatures {
  readonly supplementalGroupsPolicy?: boolean;
}

export interface NodeRuntimeHandler {
  readonly name?: string;
  readonly features?: NodeRuntimeHandlerFeatures;
}

export interface NodeRuntimeHandlerFeatures {
  readonly recursiveReadOnlyMounts?: boolean;
  readonly userNamespaces?: boolean;
}

export interface NodeSelector {
  /** One of them must hold. */
  readonly nodeSelectorTerms: readonly NodeSelectorTerm[];
}

export interface NodeSelectorRequirement {
  /** Key of the label. */
  readonly key: string;
  /** How the label must be: In, NotIn, Exists, DoesNotExist, Gt or Lt. */
  readonly operator: string;
  /** The values. */
  readonly values?: readonly string[];
}

export interface NodeSelectorTerm {
  /** Terms about labels; all must hold. */
  readonly matchExpressions?: readonly NodeSelectorRequirement[];
  /** Terms about fields; metadata.name only. */
  readonly matchFields?: readonly NodeSelectorRequirement[];
}

export interface NodeSpec {
  /** Address range of the pods on it. */
  readonly podCIDR?: string;
  readonly externalID?: string;
  /** Its id at the cloud that runs it. */
  readonly providerID?: string;
  /** Keep new pods away, as kubectl cordon does. */
  readonly unschedulable?: boolean;
  /** Marks that keep away pods which do not tolerate them. */
  readonly taints?: readonly Taint[];
  readonly configSource?: NodeConfigSource;
  /** Address ranges of the pods on it, one of each family. */
  readonly podCIDRs?: readonly string[];
}

export interface NodeStatus {
  /** All the resources it has. */
  readonly capacity?: Readonly<Record<string, string>>;
  /** The resources left for pods. */
  readonly allocatable?: Readonly<Record<string, string>>;
  readonly phase?: string;
  /** What holds for it now, above all Ready. */
  readonly conditions?: readonly NodeCondition[];
  /** Where it can be reached. */
  readonly addresses?: readonly NodeAddress[];
  /** Where its agent listens. */
  readonly daemonEndpoints?: NodeDaemonEndpoints;
  /** Versions and ids of its parts. */
  readonly nodeInfo?: NodeSystemInfo;
  /** Images it has. */
  readonly images?: readonly ContainerImage[];
  readonly volumesInUse?: readonly string[];
  readonly volumesAttached?: readonly AttachedVolume[];
  readonly config?: NodeConfigStatus;
  readonly runtimeHandlers?: readonly NodeRuntimeHandler[];
  readonly features?: NodeFeatures;
  readonly declaredFeatures?: readonly string[];
}

export interface NodeSwapStatus {
  readonly capacity?: number;
}

export interface NodeSystemInfo {
  /** Id of the machine. */
  readonly machineID?: string;
  /** Id of the hardware. */
  readonly systemUUID?: string;
  /** Id of this start of the machine. */
  readonly bootID?: string;
  /** Version of the kernel. */
  readonly kernelVersion?: string;
  /** The operating system. */
  readonly osImage?: string;
  /** What runs the containers. */
  readonly containerRuntimeVersion?: string;
  /** Version of the node agent. */
  readonly kubeletVersion?: string;
  readonly kubeProxyVersion?: string;
  /** linux, for example. */
  readonly operatingSystem?: string;
  /** amd64, for example. */
  readonly architecture?: string;
  readonly swap?: NodeSwapStatus;
}

export interface ObjectFieldSelector {
  /** Version of the API the path is written for. v1 if not given. */
  readonly apiVersion?: string;
  /** Path of the field, such as metadata.labels['app']. */
  readonly fieldPath: string;
}

export interface ObjectReference {
  /** Kind of the object. */
  readonly kind?: string;
  /** Namespace of the object. */
  readonly namespace?: string;
  /** Name of the object. */
  readonly name?: string;
  /** Uid of the object. */
  readonly uid?: string;
  /** Version of the API the object is of. */
  readonly apiVersion?: string;
  /** The version of the object that is meant. */
  readonly resourceVersion?: string;
  /** The part of the object that is meant, such as spec.containers{web}. */
  readonly fieldPath?: string;
}

export interface PersistentVolumeClaimSpec {
  readonly accessModes?: readonly string[];
  readonly resources?: VolumeResourceRequirements;
  readonly volumeName?: string;
  readonly selector?: LabelSelector;
  readonly storageClassName?: string;
  readonly volumeMode?: string;
  readonly dataSource?: TypedLocalObjectReference;
  readonly dataSourceRef?: TypedObjectReference;
  readonly volumeAttributesClassName?: string;
}

export interface PersistentVolumeClaimTemplate extends TypeMeta {
  readonly metadata: ObjectMeta;
  readonly spec?: PersistentVolumeClaimSpec;
}

export interface PersistentVolumeClaimVolumeSource {
  /** Name of the claim. */
  readonly claimName: string;
  /** Whether it is mounted to be read only. */
  readonly readOnly?: boolean;
}

export interface PhotonPersistentDiskVolumeSource {
  readonly pdID?: string;
  readonly fsType?: string;
}

export interface Pod extends TypeMeta {
  /** Name, namespace, labels and what else every object has. */
  readonly metadata: ObjectMeta;
  /** What should run, and how. Most of it cannot change once the pod exists. */
  readonly spec: PodSpec;
  /** What is known of the pod now. Written by its node, seconds behind the truth at most. */
  readonly status?: PodStatus;
}

export interface PodAffinity {
  /** Pods it must be near. */
  readonly requiredDuringSchedulingIgnoredDuringExecution?: readonly PodAffinityTerm[];
  /** Pods it would rather be near, by weight. */
  readonly preferredDuringSchedulingIgnoredDuringExecution?: readonly WeightedPodAffinityTerm[];
}

export interface PodAffinityTerm {
  /** The other pods. */
  readonly labelSelector?: LabelSelector;
  /** Namespaces of the other pods; its own if none is given. */
  readonly namespaces?: readonly string[];
  /** Node label that says what near means. */
  readonly topologyKey: string;
  /** Labels of the namespaces of the other pods. */
  readonly namespaceSelector?: LabelSelector;
  readonly matchLabelKeys?: readonly string[];
  readonly mismatchLabelKeys?: readonly string[];
}

export interface PodAntiAffinity {
  /** Pods it must not be near. */
  readonly requiredDuringSchedulingIgnoredDuringExecution?: readonly PodAffinityTerm[];
  /** Pods it would rather not be near, by weight. */
  readonly preferredDuringSchedulingIgnoredDuringExecution?: readonly WeightedPodAffinityTerm[];
}

export interface PodCertificateProjection {
  readonly signerName?: string;
  readonly keyType?: string;
  readonly maxExpirationSeconds?: number;
  readonly credentialBundlePath?: string;
  readonly keyPath?: string;
  readonly certificateChainPath?: string;
  readonly userAnnotations?: Readonly<Record<string, string>>;
}

export interface PodCondition {
  /** What the condition is about, such as Ready. */
  readonly type: string;
  /** Whether it holds. */
  readonly status: string;
  /** When it was checked last. */
  readonly lastProbeTime?: string;
  /** When it changed last. */
  readonly lastTransitionTime?: string;
  /** One word for why it changed last. */
  readonly reason?: string;
  /** Why it changed last, for people. */
  readonly message?: string;
  /** The generation of the spec it was found with. */
  readonly observedGeneration?: number;
}

export interface PodDNSConfig {
  /** Addresses of name servers, at most three. */
  readonly nameservers?: readonly string[];
  /** Domains to search. */
  readonly searches?: readonly string[];
  /** Options of the resolver. */
  readonly options?: readonly PodDNSConfigOption[];
}

export interface PodDNSConfigOption {
  readonly name?: string;
  readonly value?: string;
}

export interface PodExtendedResourceClaimStatus {
  readonly requestMappings?: readonly ContainerExtendedResourceRequest[];
  readonly resourceClaimName?: string;
}

export interface PodIP {
  readonly ip: string;
}

export interface PodOS {
  readonly name?: string;
}

export interface PodReadinessGate {
  /** Type of the condition. */
  readonly conditionType: string;
}

export interface PodResourceClaim {
  readonly name: string;
  readonly resourceClaimName?: string;
  readonly resourceClaimTemplateName?: string;
}

export interface PodResourceClaimStatus {
  readonly name?: string;
  readonly resourceClaimName?: string;
}

export interface PodSchedulingGate {
  /** Name of the gate. */
  readonly name: string;
}

export interface PodSchedulingGroup {
  readonly podGroupName?: string;
}

export interface PodSecurityContext {
  readonly seLinuxOptions?: SELinuxOptions;
  /** User id to run as. */
  readonly runAsUser?: number;
  /** Refuse to start as root. */
  readonly runAsNonRoot?: boolean;
  /** Further groups of every process. */
  readonly supplementalGroups?: readonly number[];
  /** Group that owns the volumes and that all processes are in. */
  readonly fsGroup?: number;
  /** Group id to run as. */
  readonly runAsGroup?: number;
  /** Kernel settings of the pod. */
  readonly sysctls?: readonly Sysctl[];
  readonly windowsOptions?: WindowsSecurityContextOptions;
  /** When the owner of a volume's files is changed. */
  readonly fsGroupChangePolicy?: string;
  /** Which system calls are allowed. */
  readonly seccompProfile?: SeccompProfile;
  readonly appArmorProfile?: AppArmorProfile;
  readonly supplementalGroupsPolicy?: string;
  readonly seLinuxChangePolicy?: string;
}

export interface PodSpec {
  /** Directories that containers can mount: settings, secrets, scratch space. */
  readonly volumes?: readonly Volume[];
  /** The containers that run side by side for the pod's whole life. At least one. */
  readonly containers: readonly Container[];
  /** When containers that ended are started again. Always if not given; Jobs need one of the others. */
  readonly restartPolicy?: string;
  /** Seconds between asking the processes to end and killing them. 30 if not given; 0 kills at once. */
  readonly terminationGracePeriodSeconds?: number;
  /** Seconds the pod may run, counted from its start, before it is stopped and fails. */
  readonly activeDeadlineSeconds?: number;
  /** Where names are looked up: in the cluster first, as the node does it, or only as dnsConfig says. */
  readonly dnsPolicy?: string;
  /** Labels that a node must have for the pod to run there. */
  readonly nodeSelector?: Readonly<Record<string, string>>;
  /** The account whose name and token the pod carries when it talks to the API. "default" if not given. */
  readonly serviceAccountName?: string;
  /** Old name of serviceAccountName; kept the same as it. */
  readonly serviceAccount?: string;
  /** The node the pod runs on. Filled in by the scheduler; setting it skips scheduling. */
  readonly nodeName?: string;
  /** Use the node's own network instead of one for the pod. Ports of containers are then ports of the node. */
  readonly hostNetwork?: boolean;
  /** See the processes of the node. */
  readonly hostPID?: boolean;
  /** Share the node's inter-process communication. */
  readonly hostIPC?: boolean;
  /** Users, groups and other security settings of all containers. A container's own settings win. */
  readonly securityContext?: PodSecurityContext;
  /** Secrets with the credentials for pulling the images. */
  readonly imagePullSecrets?: readonly LocalObjectReference[];
  /** The host name inside the pod; its own name if not given. */
  readonly hostname?: string;
  /** Makes the full host name hostname.subdomain.namespace.svc.<cluster domain>. */
  readonly subdomain?: string;
  /** Where the pod would or must run, by nodes and by the pods already there. */
  readonly affinity?: Affinity;
  /** The scheduler that places the pod. "default-scheduler" if not given. */
  readonly schedulerName?: string;
  /** Containers that run one after the other before the others start. Each must succeed; one with restartPolicy Always keeps running as a sidecar. */
  readonly initContainers?: readonly Container[];
  /** Whether the account's token is mounted into the containers. The account's own setting counts if this is not given. */
  readonly automountServiceAccountToken?: boolean;
  /** Taints of nodes that do not keep the pod away. */
  readonly tolerations?: readonly Toleration[];
  /** Further lines for the file /etc/hosts. */
  readonly hostAliases?: readonly HostAlias[];
  /** The PriorityClass whose value becomes the pod's priority. */
  readonly priorityClassName?: string;
  /** How important the pod is among those that wait. Filled in from the priority class. */
  readonly priority?: number;
  /** Name servers, search domains and options beside those of dnsPolicy. */
  readonly dnsConfig?: PodDNSConfig;
  /** Let the containers of the pod see each other's processes. */
  readonly shareProcessNamespace?: boolean;
  /** Conditions set from outside that must be True, too, before the pod is ready. */
  readonly readinessGates?: readonly PodReadinessGate[];
  /** The RuntimeClass by which the containers run; the node's usual one if not given. */
  readonly runtimeClassName?: string;
  /** Whether environment variables name the services of the namespace. True if not given. */
  readonly enableServiceLinks?: boolean;
  /** Whether the pod may push less important ones off a node. */
  readonly preemptionPolicy?: string;
  /** Resources the pod costs beside those of its containers. Comes from the runtime class. */
  readonly overhead?: Readonly<Record<string, string>>;
  /** How evenly such pods are to be spread over zones or nodes. */
  readonly topologySpreadConstraints?: readonly TopologySpreadConstraint[];
  /** Containers added to a running pod to look at it. Set through the ephemeralcontainers subresource only. */
  readonly ephemeralContainers?: readonly EphemeralContainer[];
  /** Use the full name as host name, not only its first part. */
  readonly setHostnameAsFQDN?: boolean;
  /** The operating system the pod needs. */
  readonly os?: PodOS;
  /** Use the node's user ids. False gives the pod ids of its own. */
  readonly hostUsers?: boolean;
  /** Names that keep the pod from being scheduled until all are removed. Can only be given at creation. */
  readonly schedulingGates?: readonly PodSchedulingGate[];
  /** Devices the pod claims before it starts. */
  readonly resourceClaims?: readonly PodResourceClaim[];
  /** Requests and limits of the pod as a whole. */
  readonly resources?: ResourceRequirements;
  /** The host name inside the pod, whatever hostname and subdomain say. */
  readonly hostnameOverride?: string;
  readonly schedulingGroup?: PodSchedulingGroup;
}

export interface PodStatus {
  /** Where the pod is in its life. Pending until all containers were started once; Succeeded or Failed when all have ended for good. */
  readonly phase?: string;
  /** What holds for the pod now: PodScheduled, Initialized, ContainersReady, Ready and others. */
  readonly conditions?: readonly PodCondition[];
  /** Why the pod is in this state, for people. */
  readonly message?: string;
  /** Why the pod is in this state, in one word, such as Evicted. */
  readonly reason?: string;
  /** Address of the node. */
  readonly hostIP?: string;
  /** Address of the pod, reachable from the cluster. Empty until it has one. */
  readonly podIP?: string;
  /** When the node accepted the pod, before any image was pulled. */
  readonly startTime?: string;
  /** How each container is. */
  readonly containerStatuses?: readonly ContainerStatus[];
  /** How well the pod's resources are protected, from its requests and limits. Set once at creation. */
  readonly qosClass?: string;
  /** How each init container is, in the order they run. */
  readonly initContainerStatuses?: readonly ContainerStatus[];
  /** The node that others are cleared from to make room for the pod. */
  readonly nominatedNodeName?: string;
  /** Addresses of the pod, one of each family; the first equals podIP. */
  readonly podIPs?: readonly PodIP[];
  /** How each ephemeral container is. */
  readonly ephemeralContainerStatuses?: readonly ContainerStatus[];
  /** How far a change of resources has come. */
  readonly resize?: string;
  readonly resourceClaimStatuses?: readonly PodResourceClaimStatus[];
  /** Addresses of the node, one of each family. */
  readonly hostIPs?: readonly HostIP[];
  /** The generation of the spec this status tells about. */
  readonly observedGeneration?: number;
  readonly extendedResourceClaimStatus?: PodExtendedResourceClaimStatus;
  readonly allocatedResources?: Readonly<Record<string, string>>;
  readonly resources?: ResourceRequirements;
  readonly nodeAllocatableResourceClaimStatuses?: readonly NodeAllocatableResourceClaimStatus[];
}

export interface PodTemplate extends TypeMeta {
  readonly metadata: ObjectMeta;
  readonly template?: PodTemplateSpec;
}

export interface PodTemplateSpec {
  /** Labels and annotations of the pods made from it. The selector must match the labels. */
  readonly metadata?: ObjectMeta;
  /** What the pods run. */
  readonly spec: PodSpec;
}

export interface PortStatus {
  readonly port?: number;
  readonly protocol?: string;
  readonly error?: string;
}

export interface PortworxVolumeSource {
  readonly volumeID?: string;
  readonly fsType?: string;
  readonly readOnly?: boolean;
}

export interface PreferredSchedulingTerm {
  /** How much it counts, 1 to 100. */
  readonly weight: number;
  /** The nodes. */
  readonly preference: NodeSelectorTerm;
}

export interface Probe extends ProbeHandler {
  /** Seconds after the start of the container before the first check. */
  readonly initialDelaySeconds?: number;
  /** Seconds after which a check without answer has failed. 1 if not given. */
  readonly timeoutSeconds?: number;
  /** Seconds between checks. 10 if not given. */
  readonly periodSeconds?: number;
  /** Successes in a row after a failure that count as success. 1 if not given, and always for liveness and startup. */
  readonly successThreshold?: number;
  /** Failures in a row that count as failure. 3 if not given. */
  readonly failureThreshold?: number;
  /** Seconds the container gets to end after this probe failed, instead of the pod's. */
  readonly terminationGracePeriodSeconds?: number;
}

export interface ProbeHandler {
  /** Run a command in the container; exit code 0 is success. */
  readonly exec?: ExecAction;
  /** Ask over HTTP; a status from 200 to 399 is success. */
  readonly httpGet?: HTTPGetAction;
  /** Open a TCP connection; being accepted is success. */
  readonly tcpSocket?: TCPSocketAction;
  /** Ask the gRPC health service. */
  readonly grpc?: GRPCAction;
}

export interface ProjectedVolumeSource {
  /** What goes into the directory. */
  readonly sources?: readonly VolumeProjection[];
  /** File mode; 0644 if not given. */
  readonly defaultMode?: number;
}

export interface QuobyteVolumeSource {
  readonly registry?: string;
  readonly volume?: string;
  readonly readOnly?: boolean;
  readonly user?: string;
  readonly group?: string;
  readonly tenant?: string;
}

export interface RBDVolumeSource {
  readonly monitors?: readonly string[];
  readonly image?: string;
  readonly fsType?: string;
  readonly pool?: string;
  readonly user?: string;
  readonly keyring?: string;
  readonly secretRef?: LocalObjectReference;
  readonly readOnly?: boolean;
}

export interface ReplicationController extends TypeMeta {
  readonly metadata: ObjectMeta;
  readonly spec?: ReplicationControllerSpec;
  readonly status?: ReplicationControllerStatus;
}

export interface ReplicationControllerCondition {
  readonly type?: string;
  readonly status?: string;
  readonly lastTransitionTime?: string;
  readonly reason?: string;
  readonly message?: string;
}

export interface ReplicationControllerSpec {
  readonly replicas?: number;
  readonly selector?: Readonly<Record<string, string>>;
  readonly template?: PodTemplateSpec;
  readonly minReadySeconds?: number;
}

export interface ReplicationControllerStatus {
  readonly replicas?: number;
  readonly fullyLabeledReplicas?: number;
  readonly observedGeneration?: number;
  readonly readyReplicas?: number;
  readonly availableReplicas?: number;
  readonly conditions?: readonly ReplicationControllerCondition[];
}

export interface ResourceClaim {
  readonly name: string;
  readonly request?: string;
}

export interface ResourceFieldSelector {
  /** The container meant. Needed in volumes; the container itself in environment variables. */
  readonly containerName?: string;
  /** What to show: limits or requests, a dot, and cpu, memory or ephemeral-storage. */
  readonly resource: string;
  /** Unit to count in, such as 1m or 1Mi. 1 if not given. */
  readonly divisor?: string;
}

export interface ResourceHealth {
  readonly resourceID?: string;
  readonly health?: string;
  readonly message?: string;
}

export interface ResourceQuota extends TypeMeta {
  /** Name, namespace, labels and what else every object has. */
  readonly metadata: ObjectMeta;
  /** What is counted, and how much of it is allowed. */
  readonly spec: ResourceQuotaSpec;
  /** How much is used. */
  readonly status?: ResourceQuotaStatus;
}

export interface ResourceQuotaSpec {
  /** The most of each resource, such as pods, requests.cpu or count/jobs.batch. */
  readonly hard?: Readonly<Record<string, string>>;
  /** Which pods are counted; all if not given. */
  readonly scopes?: readonly string[];
  /** Which pods are counted, by expressions. */
  readonly scopeSelector?: ScopeSelector;
}

export interface ResourceQuotaStatus {
  /** The limits that are enforced. */
  readonly hard?: Readonly<Record<string, string>>;
  /** What is used now. */
  readonly used?: Readonly<Record<string, string>>;
}

export interface ResourceRequirements {
  /** The most the container may use. More cpu is withheld, more memory ends it. */
  readonly limits?: Readonly<Record<string, string>>;
  /** What must be free on a node for the pod to go there. The limits if not given. */
  readonly requests?: Readonly<Record<string, string>>;
  /** Devices claimed by the pod that this container uses. */
  readonly claims?: readonly ResourceClaim[];
}

export interface ResourceStatus {
  readonly name?: string;
  readonly resources?: readonly ResourceHealth[];
}

export interface SELinuxOptions {
  readonly user?: string;
  readonly role?: string;
  readonly type?: string;
  readonly level?: string;
}

export interface ScaleIOVolumeSource {
  readonly gateway?: string;
  readonly system?: string;
  readonly secretRef?: LocalObjectReference;
  readonly sslEnabled?: boolean;
  readonly protectionDomain?: string;
  readonly storagePool?: string;
  readonly storageMode?: string;
  readonly volumeName?: string;
  readonly fsType?: string;
  readonly readOnly?: boolean;
}

export interface ScopeSelector {
  readonly matchExpressions?: readonly ScopedResourceSelectorRequirement[];
}

export interface ScopedResourceSelectorRequirement {
  readonly scopeName?: string;
  readonly operator?: string;
  readonly values?: readonly string[];
}

export interface SeccompProfile {
  /** Where the profile comes from. */
  readonly type: string;
  /** Path of the profile on the node, for Localhost. */
  readonly localhostProfile?: string;
}

export interface Secret extends TypeMeta {
  /** Name, namespace, labels and what else every object has. */
  readonly metadata: ObjectMeta;
  /** Values as base64. All together may be 1 MiB. */
  readonly data?: Readonly<Record<string, string>>;
  /** What the secret is for; some types need certain keys. Opaque if not given. Cannot be changed. */
  readonly type?: string;
  /** Values as plain text, for writing only: they go into data. */
  readonly stringData?: Readonly<Record<string, string>>;
  /** Whether the values are fixed for good; only deletion remains. */
  readonly immutable?: boolean;
}

export interface SecretEnvSource extends LocalObjectReference {
  /** Whether the Secret may be missing. */
  readonly optional?: boolean;
}

export interface SecretKeySelector extends LocalObjectReference {
  /** The key to take. */
  readonly key: string;
  /** Whether the Secret or key may be missing; the container waits for it otherwise. */
  readonly optional?: boolean;
}

export interface SecretProjection extends LocalObjectReference {
  readonly items?: readonly KeyToPath[];
  readonly optional?: boolean;
}

export interface SecretVolumeSource {
  /** Name of the Secret. */
  readonly secretName?: string;
  /** Which keys become which files; all, under their own names, if not given. */
  readonly items?: readonly KeyToPath[];
  /** File mode; 0644 if not given. */
  readonly defaultMode?: number;
  /** Whether the Secret or its keys may be missing. */
  readonly optional?: boolean;
}

export interface SecurityContext {
  /** Linux capabilities to add and drop. */
  readonly capabilities?: Capabilities;
  /** Run with all rights of the node. False if not given. */
  readonly privileged?: boolean;
  /** SELinux labels. */
  readonly seLinuxOptions?: SELinuxOptions;
  /** User id to run as; the image's if not given. */
  readonly runAsUser?: number;
  /** Refuse to start as root. */
  readonly runAsNonRoot?: boolean;
  /** Whether the container's own files are read-only. */
  readonly readOnlyRootFilesystem?: boolean;
  /** Whether a process can gain more rights than its parent. */
  readonly allowPrivilegeEscalation?: boolean;
  /** Group id to run as. */
  readonly runAsGroup?: number;
  /** How much of /proc is masked. */
  readonly procMount?: string;
  readonly windowsOptions?: WindowsSecurityContextOptions;
  /** Which system calls are allowed. */
  readonly seccompProfile?: SeccompProfile;
  /** AppArmor profile. */
  readonly appArmorProfile?: AppArmorProfile;
}

export interface Service extends TypeMeta {
  /** Name, namespace, labels and what else every object has. The name is the service's DNS name. */
  readonly metadata: ObjectMeta;
  /** Which pods serve, on which ports, and who can reach them. */
  readonly spec: ServiceSpec;
  /** What is known of the service now; load balancers write it. */
  readonly status?: ServiceStatus;
}

export interface ServiceAccount extends TypeMeta {
  /** Name, namespace, labels and what else every object has. */
  readonly metadata: ObjectMeta;
  /** Secrets that pods of this account may use. */
  readonly secrets?: readonly ObjectReference[];
  /** Secrets for pulling images, given to pods of this account. */
  readonly imagePullSecrets?: readonly LocalObjectReference[];
  /** Whether pods of this account get its token mounted; a pod's own setting wins. */
  readonly automountServiceAccountToken?: boolean;
}

export interface ServiceAccountTokenProjection {
  /** Who the token is meant for; the API server if not given. */
  readonly audience?: string;
  /** Seconds the token is good for, at least 600. 3600 if not given. */
  readonly expirationSeconds?: number;
  /** File to write it to. */
  readonly path: string;
}

export interface ServicePort {
  /** Name of the port; needed if there are several. */
  readonly name?: string;
  /** TCP if not given. */
  readonly protocol?: string;
  /** The service's own port. */
  readonly port: number;
  /** Port of the pods, by number or by name. The same as port if not given. */
  readonly targetPort?: number | string;
  /** Port on every node, 30000 to 32767; given by the server if not set. */
  readonly nodePort?: number;
  /** Protocol spoken on the port, such as kubernetes.io/h2c. */
  readonly appProtocol?: string;
}

export interface ServiceSpec {
  /** The ports of the service. At least one, unless it is headless or an external name. */
  readonly ports?: readonly ServicePort[];
  /** Labels of the pods that serve. Without it, Endpoints or EndpointSlices are yours to write. */
  readonly selector?: Readonly<Record<string, string>>;
  /** Address inside the cluster. Given by the server; None for a headless service, whose name leads to the pods themselves. Cannot be changed. */
  readonly clusterIP?: string;
  /** How it can be reached: inside the cluster, also on a port of every node, also through a load balancer, or as another name for an outside host. */
  readonly type?: string;
  /** Addresses of nodes, managed by you, that also lead to the service. */
  readonly externalIPs?: readonly string[];
  /** Whether requests of one client go to the same pod. */
  readonly sessionAffinity?: string;
  /** Address wished for at the load balancer; not all can do it. */
  readonly loadBalancerIP?: string;
  /** Address ranges the load balancer lets in. */
  readonly loadBalancerSourceRanges?: readonly string[];
  /** The host name an ExternalName service stands for. */
  readonly externalName?: string;
  /** Whether traffic from outside goes to all pods or only to those on the node it came to. */
  readonly externalTrafficPolicy?: string;
  /** Node port where load balancers ask whether a node has pods. */
  readonly healthCheckNodePort?: number;
  /** Whether pods that are not ready are published as if they were. */
  readonly publishNotReadyAddresses?: boolean;
  /** How long they do. */
  readonly sessionAffinityConfig?: SessionAffinityConfig;
  /** Whether it has one family or both. */
  readonly ipFamilyPolicy?: string;
  /** Addresses inside the cluster, one of each family; the first equals clusterIP. */
  readonly clusterIPs?: readonly string[];
  /** Address families of the service, IPv4 and IPv6, first one first. */
  readonly ipFamilies?: readonly string[];
  /** Whether a LoadBalancer service gets node ports, too. True if not given. */
  readonly allocateLoadBalancerNodePorts?: boolean;
  /** Which load balancer implementation serves it. */
  readonly loadBalancerClass?: string;
  /** Whether traffic from inside goes to all pods or only to those on the same node. */
  readonly internalTrafficPolicy?: string;
  /** Preference among pods, such as PreferClose. */
  readonly trafficDistribution?: string;
}

export interface ServiceStatus {
  /** Where the load balancer can be reached. */
  readonly loadBalancer?: LoadBalancerStatus;
  /** What holds for the service now. */
  readonly conditions?: readonly Condition[];
}

export interface SessionAffinityConfig {
  /** Settings of affinity by client address. */
  readonly clientIP?: ClientIPConfig;
}

export interface SleepAction {
  /** Seconds to wait. */
  readonly seconds?: number;
}

export interface StorageOSVolumeSource {
  readonly volumeName?: string;
  readonly volumeNamespace?: string;
  readonly fsType?: string;
  readonly readOnly?: boolean;
  readonly secretRef?: LocalObjectReference;
}

export interface Sysctl {
  readonly name: string;
  readonly value: string;
}

export interface TCPSocketAction {
  /** Port by number or by name. */
  readonly port: number | string;
  /** Host to connect to; the pod's address if not given. */
  readonly host?: string;
}

export interface Taint {
  /** Key of the taint. */
  readonly key: string;
  /** Value that goes with it. */
  readonly value?: string;
  /** What happens to pods that do not tolerate it: no new ones, rather none, or also none that run. */
  readonly effect: string;
  /** When it was put there. */
  readonly timeAdded?: string;
}

export interface Toleration {
  /** Key of the taint; empty with operator Exists matches every key. */
  readonly key?: string;
  /** Whether the value must be equal or the key be there. Equal if not given. */
  readonly operator?: string;
  /** Value of the taint, for Equal. */
  readonly value?: string;
  /** Effect of the taint; all if empty. */
  readonly effect?: string;
  /** Seconds the pod stays after a NoExecute taint appears; for ever if not given. */
  readonly tolerationSeconds?: number;
}

export interface TopologySpreadConstraint {
  /** How much more pods one place may have than another. */
  readonly maxSkew: number;
  /** Node label that says which nodes are one place. */
  readonly topologyKey: string;
  /** What happens to a pod that would break the rule. */
  readonly whenUnsatisfiable: string;
  /** Which pods are counted. */
  readonly labelSelector?: LabelSelector;
  /** Fewest places there should be. */
  readonly minDomains?: number;
  readonly nodeAffinityPolicy?: string;
  readonly nodeTaintsPolicy?: string;
  readonly matchLabelKeys?: readonly string[];
}

export interface TypedLocalObjectReference {
  readonly apiGroup?: string;
  readonly kind?: string;
  readonly name?: string;
}

export interface TypedObjectReference {
  readonly apiGroup?: string;
  readonly kind?: string;
  readonly name?: string;
  readonly namespace?: string;
}

export interface Volume extends VolumeSource {
  /** Name of the volume, unique in the pod. */
  readonly name: string;
}

export interface VolumeDevice {
  readonly name: string;
  readonly devicePath: string;
}

export interface VolumeMount {
  /** Name of the volume. */
  readonly name: string;
  /** Whether the container can only read it. */
  readonly readOnly?: boolean;
  /** Path in the container. */
  readonly mountPath: string;
  /** Path inside the volume to show instead of its root. */
  readonly subPath?: string;
  /** Whether mounts made later on the node or in the container are seen on the other side. */
  readonly mountPropagation?: string;
  /** Like subPath, with $(NAME) replaced by environment variables. */
  readonly subPathExpr?: string;
  /** Whether mounts below a read-only one are read-only, too. */
  readonly recursiveReadOnly?: string;
}

export interface VolumeMountStatus {
  readonly name?: string;
  readonly mountPath?: string;
  readonly readOnly?: boolean;
  readonly recursiveReadOnly?: string;
  readonly volumeStatus?: VolumeStatus;
}

export interface VolumeProjection {
  /** Keys of a Secret. */
  readonly secret?: SecretProjection;
  /** Fields of the pod. */
  readonly downwardAPI?: DownwardAPIProjection;
  /** Keys of a ConfigMap. */
  readonly configMap?: ConfigMapProjection;
  /** A token of the pod's account, renewed before it expires. */
  readonly serviceAccountToken?: ServiceAccountTokenProjection;
  readonly clusterTrustBundle?: ClusterTrustBundleProjection;
  readonly podCertificate?: PodCertificateProjection;
}

export interface VolumeResourceRequirements {
  readonly limits?: Readonly<Record<string, string>>;
  readonly requests?: Readonly<Record<string, string>>;
}

export interface VolumeSource {
  /** A file or directory of the node. Dangerous: it leads out of the container. */
  readonly hostPath?: HostPathVolumeSource;
  /** An empty directory that lives as long as the pod. */
  readonly emptyDir?: EmptyDirVolumeSource;
  readonly gcePersistentDisk?: GCEPersistentDiskVolumeSource;
  readonly awsElasticBlockStore?: AWSElasticBlockStoreVolumeSource;
  readonly gitRepo?: GitRepoVolumeSource;
  /** The keys of a Secret as files. */
  readonly secret?: SecretVolumeSource;
  /** A directory of an NFS server. */
  readonly nfs?: NFSVolumeSource;
  readonly iscsi?: ISCSIVolumeSource;
  readonly glusterfs?: GlusterfsVolumeSource;
  /** Storage that outlives the pod, by the name of a claim. */
  readonly persistentVolumeClaim?: PersistentVolumeClaimVolumeSource;
  readonly rbd?: RBDVolumeSource;
  readonly flexVolume?: FlexVolumeSource;
  readonly cinder?: CinderVolumeSource;
  readonly cephfs?: CephFSVolumeSource;
  readonly flocker?: FlockerVolumeSource;
  /** Fields of the pod as files. */
  readonly downwardAPI?: DownwardAPIVolumeSource;
  readonly fc?: FCVolumeSource;
  readonly azureFile?: AzureFileVolumeSource;
  /** The keys of a ConfigMap as files. */
  readonly configMap?: ConfigMapVolumeSource;
  readonly vsphereVolume?: VsphereVirtualDiskVolumeSource;
  readonly quobyte?: QuobyteVolumeSource;
  readonly azureDisk?: AzureDiskVolumeSource;
  readonly photonPersistentDisk?: PhotonPersistentDiskVolumeSource;
  readonly portworxVolume?: PortworxVolumeSource;
  readonly scaleIO?: ScaleIOVolumeSource;
  /** Several sources in one directory. */
  readonly projected?: ProjectedVolumeSource;
  readonly storageos?: StorageOSVolumeSource;
  /** Storage from a CSI driver, for the life of the pod. */
  readonly csi?: CSIVolumeSource;
  /** Storage by a claim made for the pod and removed with it. */
  readonly ephemeral?: EphemeralVolumeSource;
  /** The files of an image, read-only. */
  readonly image?: ImageVolumeSource;
}

export interface VolumeStatus {
  readonly image?: ImageVolumeStatus;
}

export interface VsphereVirtualDiskVolumeSource {
  readonly volumePath?: string;
  readonly fsType?: string;
  readonly storagePolicyName?: string;
  readonly storagePolicyID?: string;
}

export interface WeightedPodAffinityTerm {
  /** How much it counts, 1 to 100. */
  readonly weight: number;
  /** The rule. */
  readonly podAffinityTerm: PodAffinityTerm;
}

export interface WindowsSecurityContextOptions {
  readonly gmsaCredentialSpecName?: string;
  readonly gmsaCredentialSpec?: string;
  readonly runAsUserName?: string;
  readonly hostProcess?: boolean;
}
