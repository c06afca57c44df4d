import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import type { Secret, ServiceAccount } from "../../src/api/core/types.gen.ts";
import { notFound } from "../../src/api/meta/errors.ts";
import type { Kind } from "../../src/api/meta/kind.ts";
import type { ObjectKey } from "../../src/api/meta/object.ts";
import { createRegistryClient } from "../../src/images/registry/registry-client.ts";
import { askForDigest } from "../../src/images/resolve-digest.ts";
import { createRegistryServer } from "../../src/images/server/registry-server.ts";
import { openImageStore } from "../../src/images/store.ts";
import type { PullLoginDeps } from "../../src/main/pull-logins.ts";
import { createRegistries, type Registries } from "../../src/main/standalone-registries.ts";
import { silentLogger as log } from "../silent-logger.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

/** A registry that wants a login, and an API server with what is in it. */
async function start(secret: (registry: string) => object, account: Partial<ServiceAccount> = {}) {
  const directory = mkdtempSync(join(tmpdir(), "ebb-logins-"));
  closers.push(() => rmSync(directory, { recursive: true, force: true }));
  const store = openImageStore(directory);
  closers.push(() => store.close());
  const server = createRegistryServer({ store, log, token: "secret" });
  const registry = `127.0.0.1:${await server.listen({ host: "127.0.0.1", port: 0 })}`;
  closers.push(() => server.close());
  const data = { ".dockerconfigjson": Buffer.from(JSON.stringify({ auths: secret(registry) })).toString("base64") };
  const objects: Readonly<Record<string, unknown>> = {
    "Secret team/pull": { metadata: { name: "pull" }, data } satisfies Partial<Secret>,
    "ServiceAccount team/default": { metadata: { name: "default" }, ...account },
  };
  const get = async (kind: Kind, { namespace, name }: ObjectKey): Promise<unknown> => {
    const found = objects[`${kind.kind} ${namespace}/${name}`];
    if (!found) throw notFound(kind, name);
    return found;
  };
  const shared = createRegistryClient({ findCredentials: async () => undefined });
  closers.push(() => shared.close());
  const deps = { client: { get }, log } as unknown as PullLoginDeps;
  return {
    image: `${registry}/app:1`,
    registries: createRegistries(deps, shared, { usual: async () => undefined, env: {} }),
  };
}

const login = (registry: string) => ({ [registry]: { auth: Buffer.from("ebb:secret").toString("base64") } });

/** `not-found` when the registry let us in: there is no such image. */
const outcome = (asking: Promise<unknown>): Promise<unknown> =>
  asking.then(
    () => "found",
    (error: { readonly kind?: string; readonly message: string }) => error.message,
  );

const asSecrets = (registries: Registries, image: string, names: readonly string[]) =>
  outcome(registries.withSecrets(image, { namespace: "team", names }, (client) => askForDigest(client, image)));

test("an image is asked for with the login of the pod's pull secrets, and without them is not given out", async () => {
  const { image, registries } = await start(login);
  expect(await asSecrets(registries, image, [])).toMatch(/login|credentials|log in/i);
  expect(await asSecrets(registries, image, ["pull"])).toMatch(/has no repository app/);
});

test("a secret that is missing is passed over: the registry says whether it was needed", async () => {
  const { image, registries } = await start(login);
  expect(await asSecrets(registries, image, ["gone", "pull"])).toMatch(/has no repository app/);
  expect(await asSecrets(registries, image, ["gone"])).toMatch(/login|credentials|log in/i);
});

test("a pod that names none pulls with those of its service account", async () => {
  const { image, registries } = await start(login, { imagePullSecrets: [{ name: "pull" }] });
  const as = { namespace: "team", serviceAccountName: "default" };
  const asked = registries.withAccount(image, as, (client) => askForDigest(client, image));
  expect(await outcome(asked)).toMatch(/has no repository app/);
});
