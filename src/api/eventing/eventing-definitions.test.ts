import { describe, expect, test } from "vitest";
import type { KindDefinition, WriteContext } from "../meta/definition.ts";
import type { KubeObject, Mutable } from "../meta/object.ts";
import { denialText } from "../meta/webhook-denial.ts";
import { eventingDefinitions } from "./definitions.ts";

const definitionOf = (kind: string): KindDefinition => {
  const found = eventingDefinitions.find((one) => one.kind.kind === kind && !one.conversion);
  if (!found) throw new Error(`no kind ${kind}`);
  return found;
};

type Maps = Readonly<Record<string, Readonly<Record<string, string>>>>;

function write(kind: string, given: object, more: { readonly old?: KubeObject; readonly maps?: Maps } = {}) {
  const { old, maps = {} } = more;
  const definition = definitionOf(kind);
  const context: WriteContext = {
    operation: old ? "update" : "create",
    user: { name: "ada", groups: [] },
    now: 0,
    configMap: (namespace, name) => (namespace === "knative-eventing" ? (maps[name] ?? {}) : {}),
  };
  const object = { metadata: { name: "x", namespace: "ns" }, ...structuredClone(given) } as Mutable<KubeObject>;
  definition.prepare?.(object, old, context);
  const denial = denialText(definition.validate?.(object as KubeObject, old, context) ?? []);
  return { object: object as unknown as KubeObject & { readonly spec: Record<string, unknown> }, denial };
}

const svc = { ref: { apiVersion: "v1", kind: "Service", name: "s" } };
const uri = { uri: "http://x.example" };
const trigger = (spec: object): object => ({ spec: { broker: "default", subscriber: uri, ...spec } });

describe("defaults", () => {
  test("a Broker gets class, config and delivery, and says who made it", () => {
    const { object, denial } = write("Broker", {});
    expect(denial).toBe("");
    expect(object.metadata.annotations).toEqual({
      "eventing.knative.dev/broker.class": "MTChannelBasedBroker",
      "eventing.knative.dev/creator": "ada",
      "eventing.knative.dev/lastModifier": "ada",
    });
    expect(object.spec).toEqual({
      config: { apiVersion: "v1", kind: "ConfigMap", name: "config-br-default-channel", namespace: "knative-eventing" },
      delivery: { retry: 10, backoffPolicy: "exponential", backoffDelay: "PT0.2S" },
    });
  });

  test("a Broker's come from config-br-defaults, by namespace", () => {
    const text =
      "clusterDefault:\n  brokerClass: A\nnamespaceDefaults:\n  ns:\n    brokerClass: B\n    apiVersion: v1\n    kind: ConfigMap\n    name: mine\n    delivery:\n      retry: 3\n";
    const { object } = write("Broker", {}, { maps: { "config-br-defaults": { "default-br-config": text } } });
    expect(object.metadata.annotations?.["eventing.knative.dev/broker.class"]).toBe("B");
    expect(object.spec).toEqual({
      config: { apiVersion: "v1", kind: "ConfigMap", name: "mine", namespace: "ns" },
      delivery: { retry: 3 },
    });
  });

  test("a Trigger gets a filter, a label, and its namespace for what it names", () => {
    const { object, denial } = write("Trigger", trigger({ subscriber: svc, delivery: { deadLetterSink: svc } }));
    expect(denial).toBe("");
    expect(object.metadata.labels).toEqual({ "eventing.knative.dev/broker": "default" });
    expect(object.spec).toMatchObject({
      filter: {},
      subscriber: { ref: { namespace: "ns" } },
      delivery: { deadLetterSink: { ref: { namespace: "ns" } } },
    });
  });

  test("channels are InMemoryChannels, unless default-ch-webhook says otherwise", () => {
    expect(write("Channel", {}).object.spec["channelTemplate"]).toEqual({
      apiVersion: "messaging.knative.dev/v1",
      kind: "InMemoryChannel",
    });
    const maps = { "default-ch-webhook": { "default-ch-config": "clusterDefault:\n  apiVersion: a/v1\n  kind: K\n" } };
    const { object } = write("Sequence", { spec: { steps: [uri] } }, { maps });
    expect(object.spec["channelTemplate"]).toEqual({ apiVersion: "a/v1", kind: "K" });
  });

  test("sources and sinks get theirs", () => {
    expect(write("PingSource", { spec: { sink: uri } }).object.spec["schedule"]).toBe("* * * * *");
    const watch = { sink: uri, resources: [{ apiVersion: "v1", kind: "Event" }] };
    expect(write("ApiServerSource", { spec: watch }).object.spec).toMatchObject({
      mode: "Reference",
      serviceAccountName: "default",
    });
    expect(write("SinkBinding", { spec: { sink: uri } }).object.spec["subject"]).toEqual({ namespace: "ns" });
    const log = write("IntegrationSink", { spec: { log: { showBody: false } } });
    expect(log.object.spec["log"]).toMatchObject({ loggerName: "log-sink", level: "INFO", showBody: false });
    const pod = { restartPolicy: "Never", containers: [{ name: "c", image: "i" }] };
    const sink = write("JobSink", { spec: { job: { spec: { template: { spec: pod } } } } });
    expect(sink.denial).toBe("");
    expect(JSON.stringify(sink.object.spec)).toContain('"env":[{"name":"K_EXECUTION_MODE","value":"batch"}]');
  });

  test("are the same when a write is repeated", () => {
    for (const [kind, given] of [
      ["Broker", {}],
      ["Trigger", trigger({ subscriber: svc })],
      ["Channel", {}],
      ["PingSource", { spec: { sink: svc } }],
    ] as const) {
      const { object } = write(kind, given);
      const again = write(kind, object, { old: object });
      expect(again.object).toEqual(object);
      expect(again.denial).toBe("");
    }
  });
});

describe("denials", () => {
  test.each<[string, string, object, string]>([
    ["a Trigger without a Broker", "Trigger", { spec: { subscriber: uri } }, "missing field(s): spec.broker"],
    [
      "a Trigger without a subscriber",
      "Trigger",
      { spec: { broker: "b" } },
      "expected at least one, got none: spec.subscriber.ref, spec.subscriber.uri",
    ],
    [
      "a reference that lacks its name",
      "Trigger",
      trigger({ subscriber: { ref: { apiVersion: "v1", kind: "Service" } } }),
      "missing field(s): spec.subscriber.ref.name",
    ],
    [
      "a relative address alone",
      "Trigger",
      trigger({ subscriber: { uri: "/path" } }),
      "invalid value: Relative URI is not allowed when Ref and [apiVersion, kind, name] is absent: spec.subscriber.uri",
    ],
    [
      "a reference and an absolute address",
      "Trigger",
      trigger({ subscriber: { ...svc, ...uri } }),
      "Absolute URI is not allowed when Ref or [apiVersion, kind, name] is present: spec.subscriber.ref, spec.subscriber.uri, spec.subscriber[apiVersion, kind, name]",
    ],
    [
      "bad names of attributes",
      "Trigger",
      trigger({ filter: { attributes: { Type: "a" } }, filters: [{ exact: { "my-ext": "b" } }] }),
      'invalid key name "Type": spec.filter.attributes\nAttribute name must start with a letter and can only contain lowercase alphanumeric\ninvalid key name "my-ext": spec.filters[0].exact\nAttribute name must start with a letter and can only contain lowercase alphanumeric',
    ],
    [
      "two dialects in one filter",
      "Trigger",
      trigger({ filters: [{ not: { exact: { a: "b" }, prefix: { a: "b" } } }] }),
      "multiple dialects found, filters can have only one dialect set: spec.filters[0].not",
    ],
    [
      "an unknown dialect",
      "Trigger",
      trigger({ filters: [{ any: [{ regex: { a: "b" } }] }] }),
      "unknown filter dialect: use exact, prefix, suffix, all, any, not or cesql: spec.filters[0].any[0].regex",
    ],
    [
      "filters that upstream would pass over",
      "Trigger",
      trigger({ filters: [{}, { any: [] }, { exact: { type: "" } }] }),
      'expected a value that is not empty, got "": spec.filters[2].exact.type\nexpected at least one filter, got none: spec.filters[1].any\nexpected exactly one filter dialect, got none: spec.filters[0]',
    ],
    [
      "CESQL that does not parse",
      "Trigger",
      trigger({ filters: [{ cesql: "type = " }] }),
      "invalid value: type = : spec.filters[0].cesql\nthe expression ends where a value should be at position 8",
    ],
    [
      "CESQL that calls what there is not",
      "Trigger",
      trigger({ filters: [{ cesql: "NOSUCH(type, 1) AND ABS(1) = 1" }] }),
      "invalid value: NOSUCH(type, 1) AND ABS(1) = 1: spec.filters[0].cesql\nthere is no function NOSUCH with 2 arguments: the filter would let nothing pass",
    ],
    [
      "a Trigger that feeds its own Broker",
      "Trigger",
      trigger({ subscriber: { ref: { apiVersion: "eventing.knative.dev/v1", kind: "Broker", name: "default" } } }),
      "the subscriber is the Trigger's own Broker: every event would go round for ever: spec.subscriber.ref",
    ],
    [
      "delivery that is none",
      "Trigger",
      trigger({
        delivery: { retry: -1, backoffPolicy: "never", backoffDelay: "1s", timeout: "PT0S", format: "xml" },
      }),
      "invalid value: -1: spec.delivery.retry\ninvalid value: 1s: spec.delivery.backoffDelay\ninvalid value: PT0S: spec.delivery.timeout\ninvalid value: never: spec.delivery.backoffPolicy\ninvalid value: xml: spec.delivery.format",
    ],
    [
      "annotations that are none",
      "Trigger",
      {
        metadata: {
          name: "x",
          namespace: "ns",
          annotations: { "knative.dev/dependency": '{"kind":"A","namespace":"b"}' },
        },
        ...trigger({}),
      },
      'Namespace must be empty or equal to the trigger namespace "ns": metadata.annotations[knative.dev/dependency].namespace\nmissing field(s): metadata.annotations[knative.dev/dependency].apiVersion, metadata.annotations[knative.dev/dependency].name',
    ],
    [
      "a start that is none",
      "Trigger",
      { metadata: { name: "x", annotations: { "events.ebb.dev/start-at": "yesterday" } }, ...trigger({}) },
      'invalid value: yesterday: metadata.annotations[events.ebb.dev/start-at]\nuse "now", "earliest", a time such as 2026-01-02T03:04:05Z, or "id:" and an event\'s id',
    ],
    [
      "a Subscription of nothing",
      "Subscription",
      {},
      "missing field(s): spec.channel\nthe Subscription must reference a channel",
    ],
    [
      "a Subscription to nobody",
      "Subscription",
      { spec: { channel: { apiVersion: "messaging.knative.dev/v1", kind: "Channel", name: "c", namespace: "other" } } },
      "missing field(s): spec.subscriber\nthe Subscription must reference a subscriber\nmust not set the field(s): spec.channel.namespace\nonly name, apiVersion and kind are supported fields when feature.CrossNamespaceEventLinks is disabled",
    ],
    ["a Sequence of nothing", "Sequence", { spec: {} }, "missing field(s): spec.steps"],
    ["a Parallel of nothing", "Parallel", { spec: {} }, "missing field(s): spec.branches"],
    [
      "a schedule of nobody's",
      "PingSource",
      { spec: { sink: uri, schedule: "61 * * * *", timezone: "Mars/Base" } },
      "invalid value: end of range (61) above maximum (59): 61: spec.schedule\ninvalid value: provided bad location Mars/Base: unknown time zone Mars/Base: spec.timezone",
    ],
    [
      "@every",
      "PingSource",
      { spec: { sink: uri, schedule: "@every 5s" } },
      "invalid value: unsupported descriptor @every: spec.schedule",
    ],
    [
      "data twice, and overrides that are none",
      "PingSource",
      { spec: { sink: uri, data: "a", dataBase64: "YQ==", ceOverrides: { extensions: { "a-b": "c" } } } },
      'expected exactly one, got both: spec.data, spec.dataBase64\ninvalid key name "a-b": spec.ceOverrides.extensions\nkeys are expected to be alphanumeric',
    ],
    ["an ApiServerSource of nothing", "ApiServerSource", { spec: { sink: uri } }, "missing field(s): spec.resources"],
    [
      "a ContainerSource without an image",
      "ContainerSource",
      { spec: { sink: uri, template: { spec: { containers: [{}] } } } },
      "missing field(s): spec.containers[0].image",
    ],
    [
      "a SinkBinding to another namespace",
      "SinkBinding",
      { spec: { sink: uri, subject: { apiVersion: "apps/v1", kind: "Deployment", name: "d", namespace: "other" } } },
      "invalid value: other: spec.subject.namespace",
    ],
    ["a policy that nobody would enforce", "EventPolicy", { spec: {} }, "oidc-authentication feature not enabled"],
    [
      "a transformation that does not parse",
      "EventTransform",
      { spec: { jsonata: { expression: "{ 'a': }" } } },
      "invalid value: { 'a': }: spec.jsonata.expression\nThe symbol \"}\" cannot be used as a unary operator at position 8",
    ],
    [
      "a bad correlation attribute",
      "RequestReply",
      {
        spec: { brokerRef: { apiVersion: "eventing.knative.dev/v1", kind: "Broker", name: "b" }, replyAttribute: "id" },
      },
      "invalid value: id: spec.replyattribute\nreplyattribute must be non-empty and cannot be a core cloudevent attribute (id, type, specversion, source)",
    ],
    [
      "an EventType without attributes",
      "EventType",
      { spec: {} },
      "missing field(s): spec.attributes.id, spec.attributes.source, spec.attributes.specversion, spec.attributes.type",
    ],
    ["a JobSink without a Job", "JobSink", {}, "expected exactly one, got neither: spec.job"],
    [
      "a JobSink whose Job cannot be",
      "JobSink",
      { spec: { job: { spec: { template: { spec: { containers: [{ name: "c", image: "i" }] } } } } } },
      `Job.batch "x-${"0".repeat(32)}" is invalid: spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never": spec.job`,
    ],
    [
      "two sources in one",
      "IntegrationSource",
      { spec: { sink: uri, timer: {}, aws: { s3: {} } } },
      "only one source type can be set: spec",
    ],
    [
      "a bucket without a key",
      "IntegrationSource",
      { spec: { sink: uri, aws: { s3: { arn: "a" } } } },
      "missing field(s): spec.aws.auth.secret.ref.name, spec.aws.s3.region",
    ],
  ])("%s", (_, kind, given, denial) => {
    expect(write(kind, given).denial).toBe(denial);
  });

  test("a Broker's class and config, and a Trigger's Broker, stay", () => {
    const { object: broker } = write("Broker", {});
    const other = structuredClone(broker) as Mutable<typeof broker>;
    other.metadata.annotations = { ...other.metadata.annotations, "eventing.knative.dev/broker.class": "Other" };
    other.spec["delivery"] = { retry: 1 };
    expect(write("Broker", other, { old: broker }).denial).toContain("Immutable annotations changed (-old +new)");
    expect(write("Broker", other, { old: broker }).denial).not.toContain("spec");
    const { object: first } = write("Trigger", trigger({}));
    const moved = { ...first, spec: { ...first.spec, broker: "other" } };
    expect(write("Trigger", moved, { old: first }).denial).toBe(
      'Immutable fields changed (-old +new): broker, spec\nspec.broker:\n\t-: "default"\n\t+: "other"',
    );
  });

  test.each([
    ["retention-age", "2d", "use an ISO 8601 duration of a second or more, such as P7D or PT12H"],
    ["retention-bytes", "10", "use a quantity of 1Ki or more, such as 512Mi"],
    ["retention-bytes", "many", "use a quantity of 1Ki or more, such as 512Mi"],
    ["retention-count", "0", "use a whole number of 1 or more"],
  ])("%s of a Broker cannot be %s", (setting, value, wanted) => {
    const key = `events.ebb.dev/${setting}`;
    expect(write("Broker", { metadata: { annotations: { [key]: value } } }).denial).toBe(
      `invalid value: ${value}: metadata.annotations[${key}]\n${wanted}`,
    );
  });

  test("features open what they name", () => {
    const maps = { "config-features": { "delivery-timeout": "disabled", "authentication-oidc": "enabled" } };
    expect(write("Trigger", trigger({ delivery: { timeout: "PT1S" } }), { maps }).denial).toBe(
      "must not set the field(s): spec.delivery.timeout",
    );
    const policy = { spec: { from: [{ sub: "a*b" }, {}] } };
    expect(write("EventPolicy", policy, { maps }).denial).toBe(
      "expected exactly one, got neither: spec.from[1].ref, spec.from[1].sub\ninvalid value: a*b: spec.from[0].sub\n'*' is only allowed as suffix",
    );
  });
});

test("an EventType written in an old version comes back as it was", () => {
  const old = eventingDefinitions.find(({ kind }) => kind.kind === "EventType" && kind.version === "v1beta2");
  const given = {
    apiVersion: "eventing.knative.dev/v1beta2",
    kind: "EventType",
    metadata: { name: "x" },
    spec: { type: "t", source: "/s", schema: "https://x/y", schemaData: "{}", description: "d" },
  };
  const stored = old?.conversion?.toStored(given);
  expect(stored).toMatchObject({ apiVersion: "eventing.knative.dev/v1beta3" });
  expect(old?.conversion?.fromStored(stored as KubeObject)).toEqual(given);
  // What the old form has no field for survives being read and written in it.
  const rich = {
    ...(stored as KubeObject),
    spec: {
      attributes: [
        { name: "type", required: true, value: "t" },
        { name: "region", required: false, value: "{r}" },
      ],
    },
  };
  const round = old?.conversion?.toStored(old.conversion.fromStored(rich));
  expect(round).toMatchObject({ spec: { attributes: expect.arrayContaining(rich.spec.attributes) } });
});
