import { expect, test } from "vitest";
import type { WriteContext } from "../meta/definition.ts";
import type { KubeObject, Mutable } from "../meta/object.ts";
import { denialText } from "../meta/webhook-denial.ts";
import { eventingDefinitions } from "../eventing/definitions.ts";

function write(kind: string, spec: object) {
  const definition = eventingDefinitions.find((one) => one.kind.kind === kind);
  if (!definition) throw new Error(`no kind ${kind}`);
  const context: WriteContext = {
    operation: "create",
    user: { name: "ada", groups: [] },
    now: 0,
    configMap: () => ({}),
  };
  const object = { metadata: { name: "x", namespace: "ns" }, spec: structuredClone(spec) } as Mutable<KubeObject>;
  definition.prepare?.(object, undefined, context);
  const denial = denialText(definition.validate?.(object as KubeObject, undefined, context) ?? []);
  return { spec: (object as unknown as { spec: Record<string, unknown> }).spec, denial };
}

const sink = { uri: "http://x.example" };
const inSecret = { secretKeyRef: { name: "s", key: "k" } };
const redis = { sink, address: "redis://r:6379" };
const postgres = { sink, url: "postgres://db/shop" };
const mqtt = { sink, url: "mqtt://m:1883", topics: ["a/+/#"] };
const hook = (verify: object) => ({ sink, verify });

test.each<[string, string, object, object]>([
  ["a stream", "RedisStreamSource", { ...redis, stream: "s" }, { consumers: 1 }],
  ["a list", "RedisListSource", { ...redis, list: "l" }, { end: "right", maxInFlight: 16 }],
  ["changes", "PostgresSource", { ...postgres, replication: { tables: ["a.b"] } }, { replication: { maxInFlight: 1 } }],
  ["MQTT", "MqttSource", mqtt, { protocolVersion: "5", qos: 1, sessionExpirySeconds: 604800, maxInFlight: 16 }],
  ["Stripe", "WebhookSource", hook({ scheme: "stripe", secret: inSecret }), { verify: { toleranceSeconds: 300 } }],
  [
    "HMAC",
    "WebhookSource",
    hook({ scheme: "hmac", secret: inSecret, header: "X-Sig" }),
    { verify: { algorithm: "sha256", encoding: "hex" } },
  ],
  ["files", "FileSource", { sink, path: "/in" }, { pattern: "*", settle: "1s", existing: "send", content: "data" }],
  ["polling", "HttpPollSource", { sink, url: "https://a/b" }, { interval: "1m", timeout: "30s", maxInFlight: 1 }],
  [
    "GitHub",
    "GitHubSource",
    { sink, ownerAndRepository: "o/r", eventTypes: ["push"], secretToken: inSecret },
    { eventTypes: ["push"] },
  ],
])("%s gets its defaults, which stay when written again", (_, kind, given, wanted) => {
  const { spec, denial } = write(kind, given);
  expect(denial).toBe("");
  expect(spec).toMatchObject(wanted);
  expect(write(kind, spec).spec).toEqual(spec);
});

test.each<[string, string, object, string]>([
  [
    "no sink",
    "RedisStreamSource",
    { address: "redis://r", stream: "s" },
    "expected at least one, got none: spec.sink.ref, spec.sink.uri",
  ],
  ["nothing", "RedisStreamSource", { sink }, "missing field(s): spec.address, spec.stream"],
  [
    "an address of something else",
    "RedisStreamSource",
    { sink, address: "r:6379", stream: "s" },
    "invalid value: r:6379: spec.address\nmust be a URL that begins with redis://, rediss://",
  ],
  [
    "a password in the open, which is not repeated",
    "RedisListSource",
    { sink, address: "redis://u:secret@r", list: "l" },
    "invalid value: redis://u:xxx@r: spec.address\na password does not belong here: keep it in a Secret",
  ],
  [
    "a Secret without a key",
    "RedisStreamSource",
    { ...redis, stream: "s", dialOptions: { password: { secretKeyRef: { name: "n" } } } },
    "missing field(s): spec.dialOptions.password.secretKeyRef.key",
  ],
  [
    "a certificate without its key",
    "RedisStreamSource",
    { ...redis, stream: "s", dialOptions: { cert: inSecret } },
    "missing field(s): spec.dialOptions.key",
  ],
  [
    "a processing list that is the list",
    "RedisListSource",
    { ...redis, list: "l", processingList: "l" },
    "invalid value: l: spec.processingList\nmust be another list than the one that is read",
  ],
  [
    "neither changes nor notifications",
    "PostgresSource",
    postgres,
    "expected exactly one, got neither: spec.listen, spec.replication",
  ],
  [
    "both",
    "PostgresSource",
    { ...postgres, listen: { channels: ["c"] }, replication: { tables: ["t"] } },
    "expected exactly one, got both: spec.listen, spec.replication",
  ],
  [
    "neither tables nor a publication",
    "PostgresSource",
    { ...postgres, replication: {} },
    "expected exactly one, got neither: spec.replication.publication, spec.replication.tables",
  ],
  [
    "a bad slot and a bad operation",
    "PostgresSource",
    { ...postgres, replication: { tables: ["t"], slot: "A-b", operations: ["upsert"] } },
    "invalid value: A-b: spec.replication.slot\nmust be of lower-case letters, digits and underscores, 63 at most\ninvalid value: upsert: spec.replication.operations[0]\nmust be one of insert, update, delete, truncate",
  ],
  [
    "a topic that is no filter",
    "MqttSource",
    { ...mqtt, topics: ["a/#/b"], qos: 2 },
    "expected 0 <= 2 <= 1: spec.qos\ninvalid value: a/#/b: spec.topics[0]\n+ and # must be whole levels, and # the last one",
  ],
  ["nobody's signature", "WebhookSource", { sink }, "missing field(s): spec.verify"],
  ["a signature without a secret", "WebhookSource", hook({ scheme: "github" }), "missing field(s): spec.verify.secret"],
  [
    "an HMAC in no header",
    "WebhookSource",
    hook({ scheme: "hmac", secret: inSecret }),
    "missing field(s): spec.verify.header",
  ],
  [
    "a header where the provider has its own, and a tolerance where there is no time",
    "WebhookSource",
    hook({ scheme: "github", secret: inSecret, header: "X", toleranceSeconds: 5 }),
    "must not set the field(s): spec.verify.header, spec.verify.toleranceSeconds",
  ],
  [
    "a folder that leads elsewhere",
    "FileSource",
    { sink, path: "/in/../etc", interval: "1ms" },
    "invalid value: /in/../etc: spec.path\nmust be an absolute path without ..\ninvalid value: 1ms: spec.interval\nmust be 100 ms at least",
  ],
  [
    "an expression that does not parse",
    "HttpPollSource",
    { sink, url: "https://a", items: "a[", interval: "soon" },
    'invalid value: a[: spec.items\nExpected "]" before end of expression at position 2\ninvalid value: soon: spec.interval\nmust be a duration such as 500ms, 30s or 1h',
  ],
  ["an id of no item", "HttpPollSource", { sink, url: "https://a", itemId: "id" }, "missing field(s): spec.items"],
  [
    "a repository that is none",
    "GitHubSource",
    { sink, ownerAndRepository: "a/b/c" },
    "invalid value: a/b/c: spec.ownerAndRepository\nmust be owner/repository, or an organization\nmissing field(s): spec.eventTypes, spec.secretToken",
  ],
])("%s is refused", (_, kind, given, denial) => {
  expect(write(kind, given).denial).toBe(denial);
});
