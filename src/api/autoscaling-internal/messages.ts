/** Field tables of autoscaling.internal.knative.dev; the notation is explained in ../meta/message.ts. */
export const messages = `
package autoscaling.internal.v1alpha1

PodAutoscaler -- How many instances a Revision has; made by ebb, one per Revision.
  1 metadata meta.ObjectMeta~ -- Name, namespace, labels and what else every object has.
  2 spec PodAutoscalerSpec~ -- What is wanted.
  3 status PodAutoscalerStatus -- What is there, as last observed.

PodAutoscalerSpec -- What is scaled and by what.
  1 containerConcurrency int64 -- Requests an instance takes at once; 0 is no limit.
  2 scaleTargetRef ScaleTargetRef! -- What has the scale.
  3 reachability string -- Reachable while a Route leads to it; Unreachable lets its minimum scale go.
  4 protocolType string! -- What instances speak: http1 or h2c.

ScaleTargetRef -- What has the scale.
  1 kind string -- Its kind.
  2 name string -- Its name.
  3 apiVersion string -- Its group and version.

PodAutoscalerStatus -- What the autoscaler decided and found.
  1 observedGeneration int64 -- The generation of the spec that this status answers.
  2 conditions []serving.v1.Condition map=type -- Judgements on how far the object is, one per type; Ready sums them up.
  3 annotations map<string,string> -- Further facts that controllers keep with the status.
  4 serviceName string -- Core Service by which the Revision is reached.
  5 metricsServiceName string -- Core Service of its instances.
  6 desiredScale int32? -- Instances wanted.
  7 actualScale int32? -- Instances that are ready.
`;
