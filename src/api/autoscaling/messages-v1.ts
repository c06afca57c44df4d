/** Field tables of autoscaling/v1; the notation is explained in ../meta/message.ts. */
export const messages = `
package autoscaling.v1

CrossVersionObjectReference
  1 kind string!
  2 name string!
  3 apiVersion string

HorizontalPodAutoscaler -- Sets the replicas of a workload by its cpu. autoscaling/v2 can do more.
  1 metadata meta.ObjectMeta~ -- Name, namespace, labels and what else every object has.
  2 spec HorizontalPodAutoscalerSpec~ -- What to scale.
  3 status HorizontalPodAutoscalerStatus -- What it measured and decided.

HorizontalPodAutoscalerSpec
  1 scaleTargetRef CrossVersionObjectReference! -- The workload to scale.
  2 minReplicas int32? -- The fewest replicas. 1 if not given.
  3 maxReplicas int32! -- The most replicas.
  4 targetCPUUtilizationPercentage int32? -- Percentage of the requested cpu that pods should use on average.

HorizontalPodAutoscalerStatus
  1 observedGeneration int64?
  2 lastScaleTime Time
  3 currentReplicas int32! -- Replicas it last saw.
  4 desiredReplicas int32! -- Replicas it last wanted.
  5 currentCPUUtilizationPercentage int32? -- Percentage it last measured.

Scale -- The replicas of a workload, whatever its kind.
  1 metadata meta.ObjectMeta~
  2 spec ScaleSpec~ -- Replicas wanted.
  3 status ScaleStatus -- Replicas there are.

ScaleSpec
  1 replicas int32 -- How many replicas there should be.

ScaleStatus
  1 replicas int32! -- How many replicas there are.
  2 selector string -- Which pods they are, as query text.
`;
