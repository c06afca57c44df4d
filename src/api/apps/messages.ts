/** Field tables of apps/v1; the notation is explained in ../meta/message.ts. */
export const messages = `
package apps.v1

Deployment
  1 metadata meta.ObjectMeta~
  2 spec DeploymentSpec~
  3 status DeploymentStatus

DeploymentCondition
  1 type string!
  2 status string!
  4 reason string
  5 message string
  6 lastUpdateTime Time
  7 lastTransitionTime Time

DeploymentSpec
  1 replicas int32?~
  2 selector meta.LabelSelector!
  3 template core.v1.PodTemplateSpec!
  4 strategy DeploymentStrategy retainKeys
  5 minReadySeconds int32
  6 revisionHistoryLimit int32?
  7 paused bool
  9 progressDeadlineSeconds int32?

DeploymentStatus
  1 observedGeneration int64
  2 replicas int32
  3 updatedReplicas int32
  4 availableReplicas int32
  5 unavailableReplicas int32
  6 conditions []DeploymentCondition merge=type map=type
  7 readyReplicas int32
  8 collisionCount int32?
  9 terminatingReplicas int32?

DeploymentStrategy
  1 type string
  2 rollingUpdate RollingUpdateDeployment

ReplicaSet
  1 metadata meta.ObjectMeta~
  2 spec ReplicaSetSpec~
  3 status ReplicaSetStatus

ReplicaSetCondition
  1 type string!
  2 status string!
  3 lastTransitionTime Time
  4 reason string
  5 message string

ReplicaSetSpec
  1 replicas int32?~
  2 selector meta.LabelSelector!
  3 template core.v1.PodTemplateSpec~
  4 minReadySeconds int32

ReplicaSetStatus
  1 replicas int32!
  2 fullyLabeledReplicas int32
  3 observedGeneration int64
  4 readyReplicas int32
  5 availableReplicas int32
  6 conditions []ReplicaSetCondition merge=type map=type
  7 terminatingReplicas int32?

RollingUpdateDeployment
  1 maxUnavailable IntOrString
  2 maxSurge IntOrString
`;
