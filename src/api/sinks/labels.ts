/** Labels of what a JobSink makes (eventing pkg/apis/sinks/register.go). */
export const jobSinkLabels = {
  /** The JobSink's name. */
  name: "sinks.knative.dev/job-sink-name",
  /** The Job's name, made of the event's source and id. */
  id: "sinks.knative.dev/job-sink-id",
  /** `true` on every Job of a JobSink. */
  made: "sinks.knative.dev/job-sink",
} as const;
