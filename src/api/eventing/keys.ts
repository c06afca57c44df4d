/** Names that Knative Eventing's parts know each other by. */

/** Namespace of its ConfigMaps. */
export const eventingNamespace = "knative-eventing";

/** The Service of upstream's broker ingress: `broker-ingress.knative-eventing`. Brokers are paths of it. */
export const brokerIngress = { namespace: eventingNamespace, name: "broker-ingress" } as const;

export const eventingKeys = {
  brokerClass: "eventing.knative.dev/broker.class",
  broker: "eventing.knative.dev/broker",
  injection: "eventing.knative.dev/injection",
  dependency: "knative.dev/dependency",
  subscribable: "messaging.knative.dev/subscribable",
  asyncHandler: "messaging.knative.dev/async-handler",
  scope: "eventing.knative.dev/scope",
  /** Start of a new Trigger: `now`, `earliest`, a time of RFC 3339, or `id:` and an event's id. */
  startAt: "events.ebb.dev/start-at",
  /** `true` keeps events waiting. */
  paused: "events.ebb.dev/paused",
  /** `ordered` delivers one event at a time per partitionkey; upstream's name for it is honoured too. */
  order: "events.ebb.dev/delivery-order",
  kafkaOrder: "kafka.eventing.knative.dev/delivery.order",
  /** What a Broker or channel keeps at most, delivered or not: `P7D`, `512Mi`, `1000000`. */
  retentionAge: "events.ebb.dev/retention-age",
  retentionBytes: "events.ebb.dev/retention-bytes",
  retentionCount: "events.ebb.dev/retention-count",
  /** In a Trigger's status while it is behind: events that wait, and when the oldest of them came. */
  lag: "events.ebb.dev/lag",
  oldest: "events.ebb.dev/oldest-event",
  /** In a source's status: which replica of ebb-events reads it. */
  readBy: "events.ebb.dev/read-by",
  /** Most deliveries at once. */
  parallelism: "events.ebb.dev/parallelism",
  rabbitParallelism: "rabbitmq.eventing.knative.dev/parallelism",
} as const;

/** Classes of Brokers that ebb's log serves: all of upstream's ask for the same. */
export const servedBrokerClasses: ReadonlySet<string> = new Set([
  "MTChannelBasedBroker",
  "Kafka",
  "KafkaNamespaced",
  "RabbitMQBroker",
  "NatsJetStreamBroker",
]);

export const defaultBrokerClass = "MTChannelBasedBroker";
