/** Field tables of apps/v1; the notation is explained in ../meta/message.ts. */
export const messages = `
package apps.v1

Deployment -- Keeps a number of like pods running and replaces them step by step when their template changes.
  1 metadata meta.ObjectMeta~ -- Name, namespace, labels and what else every object has.
  2 spec DeploymentSpec~ -- The pods wanted and how to replace them.
  3 status DeploymentStatus -- How far it is.

DeploymentCondition
  1 type string! -- Available, Progressing or ReplicaFailure.
  2 status string! -- True, False or Unknown.
  4 reason string -- Why it changed last, in one word.
  5 message string -- Why it changed last, for people.
  6 lastUpdateTime Time -- When it was written last.
  7 lastTransitionTime Time -- When it changed last.

DeploymentSpec
  1 replicas int32?~ -- How many pods there should be. 1 if not given.
  2 selector meta.LabelSelector! -- Which pods are its own; must match the template's labels. Cannot be changed.
  3 template core.v1.PodTemplateSpec! -- The pods to make. A change of it rolls out new ones.
  4 strategy DeploymentStrategy retainKeys -- How old pods give way to new ones.
  5 minReadySeconds int32 -- Seconds a pod must be ready before it counts as available.
  6 revisionHistoryLimit int32? -- How many old ReplicaSets are kept for going back. 10 if not given.
  7 paused bool -- Whether changes of the template wait.
  9 progressDeadlineSeconds int32? -- Seconds without progress after which the rollout counts as failed. 600 if not given.

DeploymentStatus
  1 observedGeneration int64 -- The generation this status tells about.
  2 replicas int32 -- Pods that exist, old and new.
  3 updatedReplicas int32 -- Pods of the newest template.
  4 availableReplicas int32 -- Pods that are ready for minReadySeconds.
  5 unavailableReplicas int32 -- Pods missing for full strength.
  6 conditions []DeploymentCondition merge=type map=type -- Available, Progressing and ReplicaFailure.
  7 readyReplicas int32 -- Pods that are ready.
  8 collisionCount int32? -- How often a name for a ReplicaSet was taken.
  9 terminatingReplicas int32? -- Pods on their way out.

DeploymentStrategy
  1 type string enum=Recreate|RollingUpdate -- All old pods first gone, or step by step. RollingUpdate if not given.
  2 rollingUpdate RollingUpdateDeployment -- How big the steps are.

ReplicaSet -- Keeps a number of like pods running. Usually made by a Deployment, which you should change instead.
  1 metadata meta.ObjectMeta~ -- Name, namespace, labels and what else every object has.
  2 spec ReplicaSetSpec~ -- The pods wanted.
  3 status ReplicaSetStatus -- How far it is.

ReplicaSetCondition
  1 type string!
  2 status string!
  3 lastTransitionTime Time
  4 reason string
  5 message string

ReplicaSetSpec
  1 replicas int32?~ -- How many pods there should be. 1 if not given.
  2 selector meta.LabelSelector! -- Which pods are its own. Cannot be changed.
  3 template core.v1.PodTemplateSpec~ -- The pods to make. A change counts for new pods only.
  4 minReadySeconds int32 -- Seconds a pod must be ready before it counts as available.

ReplicaSetStatus
  1 replicas int32! -- Pods that exist.
  2 fullyLabeledReplicas int32 -- Pods with all labels of the template.
  3 observedGeneration int64 -- The generation this status tells about.
  4 readyReplicas int32 -- Pods that are ready.
  5 availableReplicas int32 -- Pods that are ready for minReadySeconds.
  6 conditions []ReplicaSetCondition merge=type map=type -- What holds for it now.
  7 terminatingReplicas int32? -- Pods on their way out.

RollingUpdateDeployment
  1 maxUnavailable IntOrString -- How many pods may be missing, as number or percentage rounded down. 25% if not given.
  2 maxSurge IntOrString -- How many pods there may be beyond replicas, as number or percentage rounded up. 25% if not given.
`;
