import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CustomResourceDefinitionKind } from "../../api/apiextensions/kinds.ts";
import type { CustomResourceDefinition } from "../../api/apiextensions/types.gen.ts";
import { builtinDefinitions } from "../../api/definitions.ts";
import { isApiError, isNotFound } from "../../api/meta/errors.ts";
import { kind } from "../../api/meta/kind.ts";
import type { KubeObject } from "../../api/meta/object.ts";
import type { Logger } from "../../telemetry/logger.ts";
import { createApiServer, type ApiServer } from "../server.ts";

interface CronTab extends KubeObject {
  readonly spec: Readonly<Record<string, unknown>>;
  readonly status?: Readonly<Record<string, unknown>>;
}

const CronTabKind = kind<CronTab>({ group: "stable.example.com", version: "v1", kind: "CronTab", plural: "crontabs" });
const CronTabV2Kind = { ...CronTabKind, version: "v2" };

const log: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: (message, fields) => {
    throw new Error(`${message}: ${JSON.stringify(fields)}`);
  },
  with: () => log,
  enabled: () => false,
};

const specSchema = {
  type: "object",
  required: ["cronSpec"],
  "x-kubernetes-validations": [
    {
      rule: "self.minReplicas <= self.replicas",
      messageExpression: "'replicas should be at least %d'.format([self.minReplicas])",
    },
  ],
  properties: {
    cronSpec: { type: "string", pattern: "^[^ ]+( [^ ]+){4}$" },
    image: { type: "string", "x-kubernetes-validations": [{ rule: "self == oldSelf", message: "image is immutable" }] },
    replicas: { type: "integer", minimum: 1, maximum: 10, default: 1 },
    minReplicas: { type: "integer", default: 1 },
  },
};

const version = (name: string, storage: boolean): CustomResourceDefinition["spec"]["versions"][number] => ({
  name,
  served: true,
  storage,
  schema: {
    openAPIV3Schema: {
      type: "object",
      properties: { spec: specSchema, status: { type: "object", properties: { replicas: { type: "integer" } } } },
    },
  },
  subresources: { status: {} },
});

const crd = (): Partial<CustomResourceDefinition> & { metadata: { name: string } } => ({
  metadata: { name: "crontabs.stable.example.com" },
  spec: {
    group: "stable.example.com",
    scope: "Namespaced",
    names: { plural: "crontabs", kind: "CronTab", shortNames: ["ct"] },
    versions: [version("v1", true), version("v2", false)],
  },
});

let server: ApiServer;

beforeAll(async () => {
  server = createApiServer(
    { dataDir: ":memory:", definitions: builtinDefinitions, freeze: true },
    { log, now: Date.now },
  );
  await server.api.create(CustomResourceDefinitionKind, crd() as CustomResourceDefinition);
});

afterAll(async () => {
  await server.close();
});

const make = (name: string, spec: Record<string, unknown>): Promise<CronTab> => {
  const draft = { metadata: { name, namespace: "default" }, spec: { cronSpec: "* * * * *", ...spec } };
  return server.api.create(CronTabKind, draft, { fieldValidation: "Ignore" });
};

async function refusal(run: Promise<unknown>): Promise<string> {
  try {
    await run;
  } catch (error) {
    if (isApiError(error)) return `${error.code} ${error.message}`;
    throw error;
  }
  throw new Error("nothing was refused");
}

async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  for (const deadline = Date.now() + 5000; ; await new Promise(setImmediate)) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`${what} did not come to be within 5 s`);
  }
}

test("a definition is served at once and says so in its status", async () => {
  await make("first", {});
  const stored = await until("Established", async () => {
    const found = await server.api.get(CustomResourceDefinitionKind, { name: "crontabs.stable.example.com" });
    return found.status?.conditions ? found : undefined;
  });
  expect(stored.status).toMatchObject({
    acceptedNames: { plural: "crontabs", singular: "crontab", kind: "CronTab", listKind: "CronTabList" },
    storedVersions: ["v1"],
    conditions: [
      { type: "NamesAccepted", status: "True", reason: "NoConflicts" },
      { type: "Established", status: "True", reason: "InitialNamesAccepted" },
    ],
  });
});

test("objects are pruned, defaulted and given a generation", async () => {
  const made = await make("pruned", { foo: "bar" });
  expect(made.spec).toEqual({ cronSpec: "* * * * *", replicas: 1, minReplicas: 1 });
  expect(made.metadata.generation).toBe(1);
});

test("values are checked against the schema, then by the rules", async () => {
  expect(await refusal(make("bad", { replicas: 30, cronSpec: "x" }))).toBe(
    `422 CronTab.stable.example.com "bad" is invalid: [spec.cronSpec: Invalid value: "x": spec.cronSpec in body should match '^[^ ]+( [^ ]+){4}$', spec.replicas: Invalid value: 30: spec.replicas in body should be less than or equal to 10]`,
  );
  expect(await refusal(make("bad", { minReplicas: 3 }))).toBe(
    '422 CronTab.stable.example.com "bad" is invalid: spec: Invalid value: "object": replicas should be at least 3',
  );
});

test("a rule about change holds only between two states", async () => {
  await make("fixed", { image: "a" });
  const key = { name: "fixed", namespace: "default" };
  const change = server.api.patch(CronTabKind, key, { type: "merge", body: { spec: { image: "b" } } });
  expect(await refusal(change)).toContain('spec.image: Invalid value: "string": image is immutable');
  await server.api.patch(CronTabKind, key, { type: "merge", body: { spec: { replicas: 2 } } });
});

test("every served version shows the same object under its own apiVersion", async () => {
  await make("versioned", {});
  const key = { name: "versioned", namespace: "default" };
  expect((await server.api.get(CronTabV2Kind, key)).apiVersion).toBe("stable.example.com/v2");
  await server.api.patch(CronTabV2Kind, key, { type: "merge", body: { spec: { replicas: 4 } } });
  expect(await server.api.get(CronTabKind, key)).toMatchObject({
    apiVersion: "stable.example.com/v1",
    spec: { replicas: 4 },
    metadata: { generation: 2 },
  });
});

test("an apply that gives fields up gets their defaults back", async () => {
  const key = { name: "applied", namespace: "default" };
  const body = (spec: object): { type: "apply"; body: Record<string, unknown> } => ({
    type: "apply",
    body: {
      apiVersion: "stable.example.com/v1",
      kind: "CronTab",
      metadata: key,
      spec: { cronSpec: "* * * * *", ...spec },
    },
  });
  await server.api.patch(CronTabKind, key, body({ minReplicas: 2, replicas: 3 }), { fieldManager: "m" });
  const applied = await server.api.patch(CronTabKind, key, body({ replicas: 3 }), { fieldManager: "m" });
  expect(applied.spec).toEqual({ cronSpec: "* * * * *", replicas: 3, minReplicas: 1 });
});

test("a definition with names in use is not served and says why", async () => {
  const other = { ...crd(), metadata: { name: "tabs.stable.example.com" } };
  const spec = { ...other.spec, names: { plural: "tabs", singular: "tab", kind: "CronTab" } };
  await server.api.create(CustomResourceDefinitionKind, { ...other, spec } as CustomResourceDefinition);
  const stored = await until("a verdict on its names", async () => {
    const found = await server.api.get(CustomResourceDefinitionKind, { name: "tabs.stable.example.com" });
    return found.status?.conditions ? found : undefined;
  });
  expect(stored.status?.conditions).toMatchObject([
    { type: "NamesAccepted", status: "False", reason: "KindConflict", message: '"CronTab" is already in use' },
    { type: "Established", status: "False", reason: "NotAccepted" },
  ]);
  await server.api.delete(CustomResourceDefinitionKind, { name: "tabs.stable.example.com" });
});

test("a changed schema counts at once, and stored objects that no longer fit can still be changed elsewhere", async () => {
  await make("before", { replicas: 9 });
  const key = { name: "before", namespace: "default" };
  const tighter = structuredClone(crd());
  for (const { schema } of tighter.spec?.versions ?? []) {
    const root = schema?.openAPIV3Schema as { properties: { spec: { properties: Record<string, object> } } };
    root.properties.spec.properties = {
      ...root.properties.spec.properties,
      replicas: { type: "integer", maximum: 5, default: 1 },
      extra: { type: "string" },
    };
  }
  const found = await server.api.get(CustomResourceDefinitionKind, { name: "crontabs.stable.example.com" });
  await server.api.update(CustomResourceDefinitionKind, { ...found, spec: tighter.spec ?? found.spec });
  expect((await make("after", { extra: "kept" })).spec["extra"]).toBe("kept");
  expect(await refusal(make("more", { replicas: 9 }))).toContain("should be less than or equal to 5");
  await server.api.patch(CronTabKind, key, { type: "merge", body: { spec: { extra: "x" } } });
  const worse = server.api.patch(CronTabKind, key, { type: "merge", body: { spec: { replicas: 8 } } });
  expect(await refusal(worse)).toContain("should be less than or equal to 5");
});

test("deleting a definition deletes its objects first, and then nothing is served", async () => {
  await server.api.delete(CustomResourceDefinitionKind, { name: "crontabs.stable.example.com" });
  await until("the end of the definition", async () => {
    try {
      await server.api.get(CustomResourceDefinitionKind, { name: "crontabs.stable.example.com" });
      return undefined;
    } catch (error) {
      return isNotFound(error) ? true : undefined;
    }
  });
  expect(await refusal(server.api.list(CronTabKind, { namespace: "default" }))).toContain("404");
  await server.api.create(CustomResourceDefinitionKind, crd() as CustomResourceDefinition);
  expect((await server.api.list(CronTabKind, { namespace: "default" })).items).toEqual([]);
});

test("definitions and objects are there again after a restart, served before anything else happens", async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "ebb-crd-"));
  const start = (): ApiServer => createApiServer({ dataDir, definitions: builtinDefinitions }, { log, now: Date.now });
  const first = start();
  await first.api.create(CustomResourceDefinitionKind, crd() as CustomResourceDefinition);
  const draft = { metadata: { name: "kept", namespace: "default" }, spec: { cronSpec: "* * * * *" } };
  await first.api.create(CronTabKind, draft);
  await first.close();
  const second = start();
  const found = await second.api.get(CronTabKind, { name: "kept", namespace: "default" });
  expect(found.spec).toEqual({ cronSpec: "* * * * *", replicas: 1, minReplicas: 1 });
  await second.close();
  rmSync(dataDir, { recursive: true });
});
