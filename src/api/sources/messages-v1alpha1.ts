/** Field tables of IntegrationSource and of what it shares with IntegrationSink. */
export const messages = `
package sources.v1alpha1

IntegrationSource -- Brings in events from a timer, or from storage and queues of a cloud.
  1 metadata meta.ObjectMeta~ -- Name, namespace, labels and what else every object has.
  2 spec IntegrationSourceSpec~ -- What is wanted.
  3 status IntegrationSourceStatus -- What is there, as last observed.

IntegrationSourceSpec -- From where; exactly one.
  1 sourceSpec knative.duck.v1.SourceSpec inline
  2 aws SourceAws -- From storage and queues that speak as those of AWS do.
  3 timer Timer -- From a clock.
  4 template core.v1.PodTemplateSpec -- Pods that run it, where pods do.

Timer -- An event in every period.
  1 period int32 -- The period in milliseconds; a second by default.
  2 message string -- The data.
  3 contentType string -- What the data is; text/plain by default.
  4 repeatCount int32 -- How many events; no end when left out.

SourceAws -- From storage and queues that speak as those of AWS do; exactly one.
  1 s3 AWSS3 -- Objects of a bucket.
  2 sqs AWSSQS -- Messages of a queue.
  3 ddbStreams AWSDDBStreams -- Changes of a table.
  4 auth Auth -- With which credentials.

Auth -- Credentials.
  1 secret AuthSecret -- From a Secret.
  2 accessKey string -- The name of the key's entry in the Secret.
  3 secretKey string -- The name of the secret key's entry in the Secret.
  4 serviceAccountName string -- Those of a ServiceAccount.

AuthSecret -- A Secret.
  1 ref AuthSecretReference -- The Secret.

AuthSecretReference -- Names a Secret.
  1 name string -- Its name.

AWSS3 -- A bucket.
  1 region string -- Its region.
  2 uriEndpointOverride string -- Where it is, if not where AWS has it.
  3 overrideEndpoint bool -- Whether uriEndpointOverride counts.
  4 arn string -- Its name or ARN.
  5 deleteAfterRead bool? -- Whether objects go once they were sent; true by default.
  6 moveAfterRead bool -- Whether they are moved first.
  7 destinationBucket string -- Where they are moved.
  8 destinationBucketPrefix string -- What their names get in front.
  9 destinationBucketSuffix string -- What their names get behind.
  10 autoCreateBucket bool -- Whether it is made when it is missing.
  11 prefix string -- Only objects whose names start so.
  12 ignoreBody bool -- Whether events come without the objects' contents.
  13 forcePathStyle bool -- Whether the bucket's name stands in the path, not in the host.
  14 delay int32 -- Milliseconds between two looks; 500 by default.
  15 maxMessagesPerPoll int32 -- Most objects of one look; 10 by default.

AWSSQS -- A queue.
  1 region string -- Its region.
  2 uriEndpointOverride string -- Where it is, if not where AWS has it.
  3 overrideEndpoint bool -- Whether uriEndpointOverride counts.
  4 arn string -- Its name or ARN.
  5 deleteAfterRead bool? -- Whether messages go once they were sent; true by default.
  6 autoCreateQueue bool -- Whether it is made when it is missing.
  7 host string -- Domain of AWS; amazonaws.com by default.
  8 protocol string -- https by default.
  9 queueURL string -- Its URL, in place of what the others make.
  10 greedy bool -- Whether a look that found messages is followed by the next at once.
  11 delay int32 -- Milliseconds between two looks; 500 by default.
  12 maxMessagesPerPoll int32 -- Most messages of one look, 1 to 10; 1 by default.
  13 waitTimeSeconds int32 -- How long a look waits for messages.
  14 visibilityTimeout int32 -- How long a message is hidden from others while it is sent.

AWSDDBStreams -- A table's stream.
  1 region string -- Its region.
  2 uriEndpointOverride string -- Where it is, if not where AWS has it.
  3 overrideEndpoint bool -- Whether uriEndpointOverride counts.
  4 table string -- The table.
  5 streamIteratorType string -- Where it begins; FROM_LATEST by default.
  6 delay int32 -- Milliseconds between two looks; 500 by default.

AWSSNS -- A topic.
  1 region string -- Its region.
  2 uriEndpointOverride string -- Where it is, if not where AWS has it.
  3 overrideEndpoint bool -- Whether uriEndpointOverride counts.
  4 arn string -- Its name or ARN.
  5 autoCreateTopic bool -- Whether it is made when it is missing.

RabbitmqSource -- Sends the messages of a queue of RabbitMQ.
  1 metadata meta.ObjectMeta~ -- Name, namespace, labels and what else every object has.
  2 spec RabbitmqSourceSpec~ -- What is wanted.
  3 status RabbitmqSourceStatus -- What is there, as last observed.

RabbitmqSourceSpec -- Which queue, and where.
  1 sourceSpec knative.duck.v1.SourceSpec inline
  2 rabbitmqClusterReference RabbitmqClusterReference -- Where RabbitMQ is, and as whom to log in.
  3 rabbitmqResourcesConfig RabbitmqResourcesConfig -- The queue.
  4 delivery knative.duck.v1.DeliverySpec -- What is done until an event counts as delivered.
  5 serviceAccountName string -- Kept as it is: no pods of the source's own read.

RabbitmqClusterReference -- Where RabbitMQ is: a cluster that its operator runs, or a Secret that says it.
  1 name string -- A RabbitmqCluster of this namespace; its Secret NAME-default-user says the rest.
  2 namespace string -- The namespace, which must be the source's.
  3 connectionSecret core.v1.LocalObjectReference -- A Secret with uri (amqp://, amqps:// or host:port), username and password; for TLS ca.crt, tls.crt and tls.key.

RabbitmqResourcesConfig -- The queue.
  1 vhost string -- The virtual host; / by default.
  2 queueName string -- The queue.
  3 queueType string enum=quorum|classic -- Of a queue that is made; quorum by default.
  4 exchangeName string -- The exchange whose messages the queue gets; needed unless predeclared.
  5 parallelism int32? -- Most messages under way at once, 1 to 1000; 1 by default.
  6 predeclared bool -- Whether queue and exchange are there already, and nothing is made.

RabbitmqSourceStatus -- How the RabbitmqSource fares.
  1 sourceStatus knative.duck.v1.SourceStatus inline

IntegrationSourceStatus -- How the IntegrationSource fares.
  1 sourceStatus knative.duck.v1.SourceStatus inline
`;
