import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { SecretKind, ServiceAccountKind } from "../../src/api/core/kinds.ts";
import { builtinDefinitions } from "../../src/api/definitions.ts";
import { createApiServer, type ApiServer } from "../../src/apiserver/server.ts";
import { pullSecretFor, type PullNeeds } from "../../src/cli/cluster/pull-secret.ts";
import { createHttpClient, type HttpClient } from "../../src/client/http-client.ts";
import { loadKubeconfig } from "../../src/client/kubeconfig.ts";
import { buildImage } from "../../src/images/build-image.ts";
import { createRegistryClient, type RegistryClient } from "../../src/images/registry/registry-client.ts";
import { silentLog } from "../../src/router/testing/router-harness.ts";
import { startOurs, temporaryStore } from "../registry/registries.ts";

const images = temporaryStore();
const dir = mkdtempSync(join(tmpdir(), "ebb-pull-"));
const login = { kind: "password", username: "me", password: "letmein" } as const;
const anonymous: RegistryClient = createRegistryClient({ findCredentials: async () => undefined });
let open: Awaited<ReturnType<typeof startOurs>>;
let closed: typeof open;
let server: ApiServer;
let client: HttpClient;
let made = 0;
let namespace: string;

beforeAll(async () => {
  await buildImage(images.store, "dev.local/team/app", { layers: [], config: {} });
  [open, closed] = await Promise.all([startOurs(images.store), startOurs(images.store, { token: login.password })]);
  server = createApiServer(
    { dataDir: ":memory:", definitions: builtinDefinitions },
    { log: silentLog, now: () => Date.now() },
  );
  const port = await server.listen({ host: "127.0.0.1", port: 0 });
  writeFileSync(join(dir, "kubeconfig"), server.kubeconfig(`https://127.0.0.1:${port}`));
  client = createHttpClient(await loadKubeconfig(join(dir, "kubeconfig"), undefined, {}), { userAgent: "test" });
});
beforeEach(async () => {
  namespace = `n${++made}`;
  await client.raw("/api/v1/namespaces", { method: "POST", body: { metadata: { name: namespace } } });
});
afterAll(async () => {
  await client.close();
  await anonymous.close();
  await Promise.all([open.close(), closed.close(), server.close()]);
  images.remove();
  rmSync(dir, { recursive: true });
});

const needs = (registry: { readonly host: string }): PullNeeds => {
  const image = `${registry.host}/team/app:latest`;
  return { client, namespace, image, reachable: image, anonymous, findCredentials: async () => login };
};
const ask = (registry: { readonly host: string }, options: Readonly<Record<string, string | boolean>> = {}) =>
  pullSecretFor({ args: [], options }, needs(registry));

const secret = (name: string, registry: string) => ({
  metadata: { name, namespace },
  type: "kubernetes.io/dockerconfigjson",
  data: { ".dockerconfigjson": Buffer.from(JSON.stringify({ auths: { [registry]: {} } })).toString("base64") },
});

test("none is needed where anybody may pull", async () => {
  expect(await ask(open)).toBeUndefined();
});

test("a registry that wants a login is told before anything is deployed, with what to do", async () => {
  await expect(ask(closed)).rejects.toThrow(
    new RegExp(
      `${closed.host} wants a login to pull .*--pull-secret NAME, or store your own login there with --share-login`,
    ),
  );
  expect((await client.list(SecretKind, { namespace })).items).toEqual([]);
});

test("one of the namespace that knows the registry is used", async () => {
  await client.create(SecretKind, secret("other", "elsewhere.example"));
  await client.create(SecretKind, secret("right", `https://${closed.host}/v2/`));
  expect(await ask(closed)).toBe("right");
});

test("none is named where the namespace's own account has it", async () => {
  await client.create(SecretKind, secret("right", closed.host));
  const account = { metadata: { name: "default", namespace }, imagePullSecrets: [{ name: "right" }] };
  await client.patch(
    ServiceAccountKind,
    { namespace, name: "default" },
    { type: "apply", body: { apiVersion: "v1", kind: "ServiceAccount", ...account } },
    { fieldManager: "test", force: true },
  );
  expect(await ask(closed)).toBeUndefined();
});

test("the user's own login becomes one only when told, and is what a kubelet reads", async () => {
  const name = (await ask(closed, { shareLogin: true })) ?? "";
  const { type, data } = await client.get(SecretKind, { namespace, name });
  expect(type).toBe("kubernetes.io/dockerconfigjson");
  expect(JSON.parse(Buffer.from(data?.[".dockerconfigjson"] ?? "", "base64").toString())).toEqual({
    auths: {
      [closed.host]: { username: "me", password: "letmein", auth: Buffer.from("me:letmein").toString("base64") },
    },
  });
  // From then on it is found.
  expect(await ask(closed)).toBe(name);
});

test("the one that is named must be there and be a login", async () => {
  await client.create(SecretKind, secret("right", closed.host));
  expect(await ask(closed, { pullSecret: "right" })).toBe("right");
  await client.create(SecretKind, { metadata: { name: "plain", namespace }, data: {} });
  await expect(ask(closed, { pullSecret: "plain" })).rejects.toThrow('Secret "plain" is of type Opaque');
  await expect(ask(closed, { pullSecret: "gone" })).rejects.toThrow('secrets "gone" not found');
});
