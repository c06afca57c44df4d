/** Field tables of autoscaling.internal.knative.dev; the notation is explained in ../meta/message.ts. */
export const messages = `
package autoscaling.internal.v1alpha1

PodAutoscaler
  1 metadata meta.ObjectMeta~
  2 spec PodAutoscalerSpec~
  3 status PodAutoscalerStatus

PodAutoscalerSpec
  1 containerConcurrency int64
  2 scaleTargetRef ScaleTargetRef!
  3 reachability string
  4 protocolType string!

ScaleTargetRef
  1 kind string
  2 name string
  3 apiVersion string

PodAutoscalerStatus
  1 observedGeneration int64
  2 conditions []serving.v1.Condition map=type
  3 annotations map<string,string>
  4 serviceName string
  5 metricsServiceName string
  6 desiredScale int32?
  7 actualScale int32?
`;
