/**
 * Field tables of serving.knative.dev; the notation is explained in ../meta/message.ts.
 * RevisionSpec and Container are the part of PodSpec and Container that Serving lets through (sheet §1.7);
 * their fields keep the core types, so a RevisionSpec's containers can be put into a pod as they are. Unlike a Pod's,
 * containers and ports are plain lists: a container's name may be left out, so server-side apply cannot go by it.
 */
export const messages = `
package serving.v1

Service -- A program that answers requests, from its template to its traffic: the one object most users need.
  1 metadata meta.ObjectMeta~ -- Name, namespace, labels and what else every object has.
  2 spec ServiceSpec~ -- What is wanted.
  3 status ServiceStatus -- What is there, as last observed.

ServiceSpec -- What runs and where its traffic goes.
  1 template RevisionTemplateSpec~ -- What the next Revision looks like; a change makes a new one.
  2 traffic []TrafficTarget -- How requests are shared out; everything to the latest ready Revision when left out.

ServiceStatus -- How the Service fares.
  1 observedGeneration int64 -- The generation of the spec that this status answers.
  2 conditions []Condition map=type -- Judgements on how far the object is, one per type; Ready sums them up.
  3 annotations map<string,string> -- Further facts that controllers keep with the status.
  4 url string -- Where it answers.
  5 address Addressable -- Where the cluster itself reaches it.
  6 traffic []TrafficTarget -- Where requests go now, always with concrete Revisions.
  7 latestCreatedRevisionName string -- The Revision made for the current template.
  8 latestReadyRevisionName string -- The newest Revision that can take requests; traffic to the latest goes there.

Configuration -- A template that makes a Revision each time it changes.
  1 metadata meta.ObjectMeta~ -- Name, namespace, labels and what else every object has.
  2 spec ConfigurationSpec~ -- What is wanted.
  3 status ConfigurationStatus -- What is there, as last observed.

ConfigurationSpec -- What Revisions look like.
  1 template RevisionTemplateSpec~ -- What the next Revision looks like; a change makes a new one.

ConfigurationStatus -- How the Configuration fares.
  1 observedGeneration int64 -- The generation of the spec that this status answers.
  2 conditions []Condition map=type -- Judgements on how far the object is, one per type; Ready sums them up.
  3 annotations map<string,string> -- Further facts that controllers keep with the status.
  4 latestCreatedRevisionName string -- The Revision made for the current template.
  5 latestReadyRevisionName string -- The newest Revision that can take requests; traffic to the latest goes there.

Route -- Names under which Revisions are reached, and their shares.
  1 metadata meta.ObjectMeta~ -- Name, namespace, labels and what else every object has.
  2 spec RouteSpec~ -- What is wanted.
  3 status RouteStatus -- What is there, as last observed.

RouteSpec -- Where requests go.
  1 traffic []TrafficTarget -- How requests are shared out; percentages add up to 100.

RouteStatus -- How the Route fares.
  1 observedGeneration int64 -- The generation of the spec that this status answers.
  2 conditions []Condition map=type -- Judgements on how far the object is, one per type; Ready sums them up.
  3 annotations map<string,string> -- Further facts that controllers keep with the status.
  4 url string -- Where it answers.
  5 address Addressable -- Where the cluster itself reaches it.
  6 traffic []TrafficTarget -- Where requests go now, always with concrete Revisions.

Revision -- One version of a program, unchangeable, that runs as many instances as its requests need.
  1 metadata meta.ObjectMeta~ -- Name, namespace, labels and what else every object has.
  2 spec RevisionSpec~ -- What is wanted.
  3 status RevisionStatus -- What is there, as last observed.

RevisionTemplateSpec -- A Revision to be made.
  1 metadata meta.ObjectMeta -- Labels and annotations of the Revision, and its name if it is to have a chosen one.
  2 spec RevisionSpec~ -- How it runs.

RevisionSpec -- How a Revision runs: the part of a pod that Serving lets through, and how requests are handed to it.
  1 containers []Container! -- The program, and helpers beside it; one of them takes the requests.
  2 initContainers []Container -- Programs that run to their end first; needs flag kubernetes.podspec-init-containers.
  3 volumes []Volume merge=name map=name -- Files that containers mount.
  4 serviceAccountName string -- As whom the pods act in the API.
  5 imagePullSecrets []core.v1.LocalObjectReference -- Secrets with credentials for the images.
  6 enableServiceLinks bool? -- Whether containers get environment variables of other Services.
  7 automountServiceAccountToken bool? -- May only be false: no API token in the pods.
  8 affinity core.v1.Affinity -- Where pods may run; needs a flag.
  9 topologySpreadConstraints []core.v1.TopologySpreadConstraint -- How pods are spread; needs a flag.
  10 hostAliases []core.v1.HostAlias -- Lines for /etc/hosts; needs a flag.
  11 nodeSelector map<string,string> atomicmap -- Labels of nodes that may run it; needs a flag.
  12 tolerations []core.v1.Toleration -- Taints of nodes it bears; needs a flag.
  13 runtimeClassName string? -- What runs its containers; needs a flag.
  14 dnsPolicy string -- How names are looked up; needs a flag.
  15 dnsConfig core.v1.PodDNSConfig -- Settings for looking names up; needs a flag.
  16 securityContext core.v1.PodSecurityContext -- Users and rights of the whole pod; needs a flag.
  17 shareProcessNamespace bool? -- Containers see each other's processes; needs a flag.
  18 hostIPC bool -- Uses the node's IPC; needs a flag.
  19 hostPID bool -- Uses the node's process ids; needs a flag.
  20 hostNetwork bool -- Uses the node's network; needs a flag.
  21 priorityClassName string -- How important its pods are; needs a flag.
  22 schedulerName string -- Who finds nodes for its pods; needs a flag.
  30 containerConcurrency int64? -- Requests an instance takes at once, never more; 0 is no limit.
  31 timeoutSeconds int64? -- Longest time of a whole request, waiting for an instance included.
  32 responseStartTimeoutSeconds int64? -- Longest wait for the first byte of an answer; 0 is no limit.
  33 idleTimeoutSeconds int64? -- Longest pause within an answer; 0 is no limit.

Container -- One program of a Revision.
  1 name string -- Unique in the Revision; given one when left out.
  2 image string -- The image with the program.
  3 command []string -- Replaces the image's entry point.
  4 args []string -- Replaces the image's arguments.
  5 workingDir string -- Directory it starts in.
  6 ports []core.v1.ContainerPort -- At most one: where it takes requests. Name h2c for HTTP/2 without TLS.
  7 env []core.v1.EnvVar merge=name map=name -- Environment variables; PORT and K_* are set for it.
  8 envFrom []core.v1.EnvFromSource -- ConfigMaps and Secrets whose keys become environment variables.
  9 resources core.v1.ResourceRequirements -- CPU, memory and disk it asks for and may use.
  10 volumeMounts []core.v1.VolumeMount merge=mountPath map=mountPath -- Where volumes appear.
  11 livenessProbe core.v1.Probe -- When it fails, the container is restarted.
  12 readinessProbe core.v1.Probe -- When it holds, the instance takes requests. Without a period it is tried as fast as sensible.
  13 startupProbe core.v1.Probe -- The other probes wait for it.
  14 terminationMessagePath string -- File with its last words.
  15 terminationMessagePolicy string -- Where last words are looked for; the log when it fails by default.
  16 imagePullPolicy string -- When the image is fetched.
  17 securityContext core.v1.SecurityContext -- Its user and rights.

Volume -- Files that containers mount.
  1 name string! -- What mounts call it.
  2 emptyDir core.v1.EmptyDirVolumeSource -- An empty directory that lives as long as the pod.
  3 secret core.v1.SecretVolumeSource -- Keys of a Secret as files.
  4 configMap core.v1.ConfigMapVolumeSource -- Keys of a ConfigMap as files.
  5 projected core.v1.ProjectedVolumeSource -- Several sources in one directory.
  6 persistentVolumeClaim core.v1.PersistentVolumeClaimVolumeSource -- A claim on lasting storage; needs a flag.
  7 hostPath core.v1.HostPathVolumeSource -- A directory of the node; needs a flag.
  8 csi core.v1.CSIVolumeSource -- A volume from a driver; needs a flag.
  9 ephemeral core.v1.EphemeralVolumeSource -- Storage made for this pod alone; needs a flag.
  10 image core.v1.ImageVolumeSource -- Contents of an image; needs a flag.

RevisionStatus -- How the Revision fares.
  1 observedGeneration int64 -- The generation of the spec that this status answers.
  2 conditions []Condition map=type -- Judgements on how far the object is, one per type; Ready sums them up.
  3 annotations map<string,string> -- Further facts that controllers keep with the status.
  4 logUrl string -- Where its logs are shown.
  5 containerStatuses []ContainerImageStatus -- The images of its containers by digest.
  6 initContainerStatuses []ContainerImageStatus -- The images of its init containers by digest.
  7 actualReplicas int32? -- Instances that are ready.
  8 desiredReplicas int32? -- Instances the autoscaler wants.

ContainerImageStatus -- Which image a container runs.
  1 name string -- The container.
  2 imageDigest string -- Its image by digest; empty when the tag is used as it is.

TrafficTarget -- A share of the requests and who gets it.
  1 tag string -- A name under which this target is also reached alone.
  2 revisionName string -- Exactly this Revision.
  3 configurationName string -- The latest ready Revision of this Configuration.
  4 latestRevision bool? -- Whether the share moves to each new Revision.
  5 percent int64? -- Its share of the requests, 0 to 100.
  6 url string -- Where the tag is reached.

Addressable -- Where something is reached.
  1 name string -- What this address is called.
  2 url string -- The address.
  3 CACerts string -- Certificates to trust there, in PEM.
  4 audience string -- For whom tokens sent there are made.

Condition -- One judgement on how far an object is.
  1 type string! -- What is judged.
  2 status string! -- True, False or Unknown.
  3 severity string -- Info and Warning take no part in Ready; empty does.
  4 lastTransitionTime Time -- When this judgement last changed.
  5 reason string -- Why, in one word.
  6 message string -- Why, in a sentence.

DomainMapping -- A domain of the user's that leads to a Service or Route; its name is the domain.
  1 metadata meta.ObjectMeta~ -- Name, namespace, labels and what else every object has.
  2 spec DomainMappingSpec~ -- What is wanted.
  3 status DomainMappingStatus -- What is there, as last observed.

DomainMappingSpec -- Where the domain leads.
  1 ref KReference! -- The Service, Route or core Service of the same namespace.
  2 tls SecretTLS -- A certificate of the user's for the domain.

KReference -- Names an object.
  1 kind string! -- Its kind.
  2 namespace string -- Its namespace; the referring object's when left out.
  3 name string! -- Its name.
  4 apiVersion string -- Its group and version.
  5 group string -- Its group, in place of apiVersion.
  6 address string -- Which of its addresses.

SecretTLS -- A certificate kept in a Secret.
  1 secretName string! -- A Secret of type kubernetes.io/tls in the same namespace.

DomainMappingStatus -- How the mapping fares.
  1 observedGeneration int64 -- The generation of the spec that this status answers.
  2 conditions []Condition map=type -- Judgements on how far the object is, one per type; Ready sums them up.
  3 annotations map<string,string> -- Further facts that controllers keep with the status.
  4 url string -- Where it answers.
  5 address Addressable -- Where the cluster itself reaches it.
`;
