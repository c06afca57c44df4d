/** Field tables of autoscaling/v2; the notation is explained in ../meta/message.ts. */
export const messages = `
package autoscaling.v2

ContainerResourceMetricSource
  1 name string!
  2 target MetricTarget!
  3 container string!

ContainerResourceMetricStatus
  1 name string
  2 current MetricValueStatus
  3 container string

CrossVersionObjectReference
  1 kind string! -- Kind of the object.
  2 name string! -- Name of the object.
  3 apiVersion string -- Version of the API the object is of.

ExternalMetricSource
  1 metric MetricIdentifier!
  2 target MetricTarget!

ExternalMetricStatus
  1 metric MetricIdentifier
  2 current MetricValueStatus

HPAScalingPolicy
  1 type string! enum=Percent|Pods -- Whether value is a percentage or a number of pods.
  2 value int32! -- The most that may change.
  3 periodSeconds int32! -- In how many seconds, 1 to 1800.

HPAScalingRules
  1 selectPolicy string? enum=Max|Min|Disabled -- Which policy counts: the biggest change, the smallest, or none at all. Max if not given.
  2 policies []HPAScalingPolicy -- How much may change in which time.
  3 stabilizationWindowSeconds int32? -- Seconds of past wishes to consider, 0 to 3600.
  4 tolerance Quantity -- How far a metric may be off its target without a change. 0.1 if not given.

HorizontalPodAutoscaler -- Sets the replicas of a workload by metrics.
  1 metadata meta.ObjectMeta~ -- Name, namespace, labels and what else every object has.
  2 spec HorizontalPodAutoscalerSpec~ -- What to scale by which metrics, and how fast.
  3 status HorizontalPodAutoscalerStatus -- What it measured and decided.

HorizontalPodAutoscalerBehavior
  1 scaleUp HPAScalingRules -- Rules for more replicas. By default 4 pods or 100 % each 15 seconds, whichever is more.
  2 scaleDown HPAScalingRules -- Rules for fewer replicas. By default down to the highest wish of the last 300 seconds.

HorizontalPodAutoscalerCondition
  1 type string!
  2 status string!
  3 lastTransitionTime Time
  4 reason string
  5 message string

HorizontalPodAutoscalerSpec
  1 scaleTargetRef CrossVersionObjectReference! -- The workload to scale; it must have a scale subresource.
  2 minReplicas int32? -- The fewest replicas. 1 if not given.
  3 maxReplicas int32! -- The most replicas.
  4 metrics []MetricSpec -- What to scale by; the metric that wants most wins. 80 % of the requested cpu if not given.
  5 behavior HorizontalPodAutoscalerBehavior -- How fast to scale up and down.

HorizontalPodAutoscalerStatus
  1 observedGeneration int64? -- The generation this status tells about.
  2 lastScaleTime Time -- When it last changed the replicas.
  3 currentReplicas int32 -- Replicas it last saw.
  4 desiredReplicas int32! -- Replicas it last wanted.
  5 currentMetrics []MetricStatus -- What it last measured.
  6 conditions []HorizontalPodAutoscalerCondition merge=type map=type -- AbleToScale, ScalingActive and ScalingLimited.

MetricIdentifier
  1 name string!
  2 selector meta.LabelSelector

MetricSpec
  1 type string! enum=ContainerResource|External|Object|Pods|Resource -- Which of the sources it is.
  2 object ObjectMetricSource -- A metric of one other object.
  3 pods PodsMetricSource -- A metric of each pod, averaged.
  4 resource ResourceMetricSource -- cpu or memory of all pods, from their containers' requests.
  5 external ExternalMetricSource -- A metric from outside the cluster.
  7 containerResource ContainerResourceMetricSource -- cpu or memory of one container of each pod.

MetricStatus
  1 type string!
  2 object ObjectMetricStatus
  3 pods PodsMetricStatus
  4 resource ResourceMetricStatus
  5 external ExternalMetricStatus
  7 containerResource ContainerResourceMetricStatus

MetricTarget
  1 type string! enum=Utilization|Value|AverageValue -- What the target is: a percentage of the request, a value, or a value for each pod.
  2 value Quantity -- The value.
  3 averageValue Quantity -- The value for each pod.
  4 averageUtilization int32? -- The percentage of the request.

MetricValueStatus
  1 value Quantity
  2 averageValue Quantity
  3 averageUtilization int32?

ObjectMetricSource
  1 describedObject CrossVersionObjectReference!
  2 target MetricTarget!
  3 metric MetricIdentifier!

ObjectMetricStatus
  1 metric MetricIdentifier
  2 current MetricValueStatus
  3 describedObject CrossVersionObjectReference

PodsMetricSource
  1 metric MetricIdentifier!
  2 target MetricTarget!

PodsMetricStatus
  1 metric MetricIdentifier
  2 current MetricValueStatus

ResourceMetricSource
  1 name string!
  2 target MetricTarget!

ResourceMetricStatus
  1 name string!
  2 current MetricValueStatus!
`;
