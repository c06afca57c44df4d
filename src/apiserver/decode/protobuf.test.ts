import { assert, constantFrom, property } from "fast-check";
import type { Arbitrary } from "fast-check";
import { dictionary, integer, array as listOf, record, string, boolean, option } from "fast-check";
import { expect, test } from "vitest";
import { isApiError } from "../../api/meta/errors.ts";
import type { Field, Message } from "../../api/meta/message.ts";
import { messagesByName } from "../../api/schemas.ts";
import { kubectlBodies } from "./kubectl-bodies.fixture.ts";
import { decodeProtobuf } from "./protobuf.ts";

const bodyOf = (resource: string): Uint8Array => Buffer.from(kubectlBodies[resource] ?? "", "base64");

test("kubectl's Deployment keeps the zero replicas that were asked for", () => {
  expect(decodeProtobuf(bodyOf("deployments"))).toEqual({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", labels: { app: "web" } },
    spec: {
      replicas: 0,
      selector: { matchLabels: { app: "web" } },
      template: {
        metadata: { labels: { app: "web" } },
        spec: {
          containers: [{ name: "nginx", image: "nginx:1.27", ports: [{ containerPort: 80 }], resources: {} }],
        },
      },
      strategy: {},
    },
    status: {},
  });
});

test.each<[string, Record<string, unknown>]>([
  ["secrets", { apiVersion: "v1", kind: "Secret", metadata: { name: "s" }, data: { a: "Yg==" } }],
  ["namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name: "n" }, spec: {}, status: {} }],
  ["poddisruptionbudgets", { spec: { minAvailable: "50%", selector: { matchLabels: { app: "web" } } } }],
  ["token", { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: { expirationSeconds: 600 } }],
  ["resourcequotas", { spec: { hard: { cpu: "1", memory: "2Gi" } } }],
  [
    "selfsubjectaccessreviews",
    { spec: { resourceAttributes: { namespace: "default", verb: "get", resource: "pods" } } },
  ],
  [
    "ingresses",
    {
      apiVersion: "networking.k8s.io/v1",
      spec: {
        rules: [
          {
            host: "a.b",
            http: {
              paths: [{ path: "/x", pathType: "Prefix", backend: { service: { name: "svc", port: { number: 80 } } } }],
            },
          },
        ],
      },
    },
  ],
])("kubectl's body for %s decodes to its JSON form", (resource, expected) => {
  expect(decodeProtobuf(bodyOf(resource))).toMatchObject(expected);
});

test("kubectl's CronJob decodes with its nested templates", () => {
  expect(decodeProtobuf(bodyOf("cronjobs"))).toMatchObject({
    spec: {
      schedule: "*/5 * * * *",
      jobTemplate: {
        metadata: { name: "c" },
        spec: { template: { spec: { restartPolicy: "OnFailure", containers: [{ command: ["echo", "hi"] }] } } },
      },
    },
  });
});

function codeOf(bytes: Uint8Array): number {
  try {
    decodeProtobuf(bytes);
  } catch (error) {
    if (isApiError(error)) return error.code;
    throw error;
  }
  return 200;
}

test("a body cut anywhere is refused or a shorter message, never a crash", () => {
  const whole = bodyOf("deployments");
  for (let length = 0; length < whole.length; length++) {
    expect([200, 400, 415]).toContain(codeOf(whole.subarray(0, length)));
  }
});

test("kinds without a protobuf form are told to come as JSON", () => {
  const body = encodeEnvelope("example.com/v1", "Widget", new Uint8Array());
  expect(codeOf(body)).toBe(415);
});

test("DeleteOptions may come under any group", () => {
  const raw = encodeMessage(
    { gracePeriodSeconds: 0, propagationPolicy: "Foreground" },
    messageNamed("meta.DeleteOptions"),
  );
  expect(decodeProtobuf(encodeEnvelope("apps/v1", "DeleteOptions", raw))).toEqual({
    apiVersion: "apps/v1",
    kind: "DeleteOptions",
    gracePeriodSeconds: 0,
    propagationPolicy: "Foreground",
  });
});

test.each([
  "core.v1.Pod",
  "batch.v1.Job",
  "coordination.v1.Lease",
  "authorization.v1.SubjectAccessReview",
  "rbac.v1.Role",
])("%s of any content decodes to what was encoded", (name) => {
  const [pkg = "", version = "", kind = ""] = name.split(".");
  const apiVersion = pkg === "core" ? version : `${pkg}/${version}`;
  assert(
    property(arbitraryMessage(messageNamed(name), 4), (object) => {
      const body = encodeEnvelope(apiVersion, kind, encodeMessage(object, messageNamed(name)));
      expect(decodeProtobuf(body)).toEqual({ apiVersion, kind, ...object });
    }),
    { numRuns: 40 },
  );
});

// The encoder below exists for these tests only: it writes what the decoder must read, by the same tables.

function messageNamed(name: string): Message {
  const message = messagesByName.get(name);
  if (!message) throw new Error(`no message "${name}"`);
  return message;
}

function varint(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return [...bytes, Number(rest)];
}

const lengthDelimited = (no: number, bytes: Iterable<number>): number[] => {
  const content = [...bytes];
  return [...varint(BigInt((no << 3) | 2)), ...varint(BigInt(content.length)), ...content];
};
const integerField = (no: number, value: number): number[] => [...varint(BigInt(no << 3)), ...varint(BigInt(value))];
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

function encodeEnvelope(apiVersion: string, kind: string, raw: Uint8Array): Uint8Array {
  const meta = [...lengthDelimited(1, text(apiVersion)), ...lengthDelimited(2, text(kind))];
  return new Uint8Array([0x6b, 0x38, 0x73, 0, ...lengthDelimited(1, meta), ...lengthDelimited(2, raw)]);
}

function encodeMessage(object: Readonly<Record<string, unknown>>, message: Message): Uint8Array {
  const bytes: number[] = [];
  for (const field of message.fields) {
    const value = object[field.name];
    if (field.inline) bytes.push(...lengthDelimited(field.no, encodeMessage(object, messageNamed(field.type))));
    else if (value === undefined) continue;
    else if (field.shape === "list")
      for (const item of value as unknown[]) bytes.push(...encodeValue(field.no, field.type, item));
    else if (field.shape === "map")
      for (const [key, item] of Object.entries(value as object))
        bytes.push(
          ...lengthDelimited(field.no, [...lengthDelimited(1, text(key)), ...encodeValue(2, field.type, item)]),
        );
    else bytes.push(...encodeValue(field.no, field.type, value));
  }
  return new Uint8Array(bytes);
}

function encodeValue(no: number, type: string, value: unknown): number[] {
  switch (type) {
    case "string":
      return lengthDelimited(no, text(value as string));
    case "bytes":
      return lengthDelimited(no, Buffer.from(value as string, "base64"));
    case "int32":
    case "int64":
    case "bool":
      return integerField(no, Number(value));
    case "Quantity":
      return lengthDelimited(no, lengthDelimited(1, text(value as string)));
    case "IntOrString":
      return lengthDelimited(
        no,
        typeof value === "number"
          ? [...integerField(1, 0), ...integerField(2, value)]
          : [...integerField(1, 1), ...lengthDelimited(3, text(value as string))],
      );
    case "Time":
    case "MicroTime": {
      const ms = Date.parse(value as string);
      const nanos = Number((value as string).slice(20, -1) || 0) * 1000;
      return lengthDelimited(no, [
        ...integerField(1, Math.floor(ms / 1000)),
        ...integerField(2, type === "Time" ? 0 : nanos),
      ]);
    }
    case "FieldsV1":
      return lengthDelimited(no, lengthDelimited(1, text(JSON.stringify(value))));
    default: {
      const message = messageNamed(type);
      if (type.endsWith(".ExtraValue")) return lengthDelimited(no, encodeMessage({ items: value }, message));
      return lengthDelimited(no, encodeMessage(value as Record<string, unknown>, message));
    }
  }
}

const arbitraryText = string({ minLength: 1, maxLength: 6 });

function arbitraryValue(type: string, depth: number): Arbitrary<unknown> | undefined {
  switch (type) {
    case "string":
      return arbitraryText;
    case "int32":
      return integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }).filter((value) => value !== 0);
    case "int64":
      return integer({ min: -(2 ** 52), max: 2 ** 52 }).filter((value) => value !== 0);
    case "bool":
      return constantFrom(true);
    case "bytes":
      return arbitraryText.map((value) => Buffer.from(value).toString("base64"));
    case "Quantity":
      return constantFrom("1", "500m", "2Gi");
    case "IntOrString":
      return constantFrom<unknown>(8080, "25%", "http", 0);
    case "Time":
      return constantFrom("2026-01-02T03:04:05Z", "1969-12-31T23:59:59Z");
    case "MicroTime":
      return constantFrom("2026-01-02T03:04:05.678901Z", "2026-01-02T03:04:05.000000Z");
    case "FieldsV1":
      return constantFrom({ "f:spec": { "f:replicas": {} } });
    case "Duration":
    case "RawExtension":
    case "double":
      return undefined;
    default:
      if (type.endsWith(".ExtraValue")) return listOf(arbitraryText, { minLength: 1, maxLength: 2 });
      return depth > 0 ? arbitraryMessage(messageNamed(type), depth - 1) : undefined;
  }
}

function arbitraryField(field: Field, depth: number): Arbitrary<unknown> | undefined {
  if (field.pointer && field.shape === "single" && field.type === "bool") return boolean();
  const value = arbitraryValue(field.type, depth);
  if (!value || field.shape === "single") return value;
  if (field.shape === "list") return listOf(value, { minLength: 1, maxLength: 2 });
  const keys = arbitraryText.filter((key) => key !== "__proto__");
  return dictionary(keys, value, { minKeys: 1, maxKeys: 2, noNullPrototype: true });
}

function arbitraryMessage(message: Message, depth: number): Arbitrary<Record<string, unknown>> {
  const fields: Record<string, Arbitrary<unknown>> = {};
  const add = (from: Message): void => {
    for (const field of from.fields) {
      if (field.inline) add(messageNamed(field.type));
      else {
        const value = arbitraryField(field, depth);
        if (value) fields[field.name] = option(value, { freq: 2, nil: undefined });
      }
    }
  };
  if (!message.open) add(message);
  return record(fields).map((object) => Object.fromEntries(Object.entries(object).filter(([, v]) => v !== undefined)));
}
