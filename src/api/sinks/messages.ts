/** Field tables of sinks.knative.dev; the notation is explained in ../meta/message.ts. */
export const messages = `
package sinks.v1alpha1

JobSink -- Runs a Job for every event.
  1 metadata meta.ObjectMeta~ -- Name, namespace, labels and what else every object has.
  2 spec JobSinkSpec~ -- What is wanted.
  3 status JobSinkStatus -- What is there, as last observed.

JobSinkSpec -- The Job.
  1 job batch.v1.Job -- The Job; it finds the event in the file event of the directory K_EVENT_PATH.

JobSinkStatus -- How the JobSink fares.
  1 status knative.duck.v1.Status inline
  2 addressStatus knative.duck.v1.AddressStatus inline
  3 job JobStatus -- The Jobs made.
  4 policiesStatus knative.duck.v1.AppliedEventPoliciesStatus inline

JobStatus -- The Jobs made.
  1 selector string -- Labels by which they are found.

IntegrationSink -- Writes events to a log, or to storage and queues of a cloud.
  1 metadata meta.ObjectMeta~ -- Name, namespace, labels and what else every object has.
  2 spec IntegrationSinkSpec~ -- What is wanted.
  3 status IntegrationSinkStatus -- What is there, as last observed.

IntegrationSinkSpec -- Where to; exactly one.
  1 aws SinkAws -- To storage and queues that speak as those of AWS do.
  2 log Log -- To the log.

SinkAws -- To storage and queues that speak as those of AWS do; exactly one.
  1 s3 sources.v1alpha1.AWSS3 -- Objects of a bucket.
  2 sqs sources.v1alpha1.AWSSQS -- Messages of a queue.
  3 sns sources.v1alpha1.AWSSNS -- Messages of a topic.
  4 auth sources.v1alpha1.Auth -- With which credentials.

Log -- What of an event is logged.
  1 loggerName string -- The logger's name; log-sink by default.
  2 level string -- TRACE, DEBUG, INFO, WARN, ERROR or OFF; INFO by default.
  3 logMask bool -- Whether secrets are masked.
  4 marker string -- A word put to every line.
  5 multiline bool -- Whether each part has a line of its own.
  6 showAllProperties bool -- Whether all properties are shown.
  7 showBody bool? -- Whether data is shown; true by default.
  8 showBodyType bool? -- Whether the data's type is shown; true by default.
  9 showExchangePattern bool? -- Whether it is shown how the event came; true by default.
  10 showHeaders bool -- Whether attributes are shown.
  11 showProperties bool -- Whether properties are shown.
  12 showStreams bool -- Whether data that is a stream is shown.
  13 showCachedStreams bool? -- Whether data that is a kept stream is shown; true by default.

IntegrationSinkStatus -- How the IntegrationSink fares.
  1 status knative.duck.v1.Status inline
  2 addressStatus knative.duck.v1.AddressStatus inline
  3 policiesStatus knative.duck.v1.AppliedEventPoliciesStatus inline
`;
