/** The certificates of controllers, kept in a Secret of a real API server. */
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  MutatingWebhookConfigurationKind,
  ValidatingWebhookConfigurationKind,
} from "../../src/api/admissionregistration/kinds.ts";
import { NamespaceKind, SecretKind } from "../../src/api/core/kinds.ts";
import { builtinDefinitions } from "../../src/api/definitions.ts";
import { createApiServer, type ApiServer } from "../../src/apiserver/server.ts";
import { ManualClock } from "../../src/client/manual-clock.ts";
import type { Client } from "../../src/client/client.ts";
import { writeCaBundles } from "../../src/controllers/serving-certificates/ca-bundles.ts";
import { fromSecret } from "../../src/controllers/serving-certificates/certificate-secret.ts";
import {
  currentCertificates,
  keepCertificates,
  type CertificateOptions,
} from "../../src/controllers/serving-certificates/keep-certificates.ts";
import { convertedKinds, customKinds } from "../../src/install/crds/custom-kinds.ts";
import { makeCrd } from "../../src/install/crds/make-crd.ts";
import { makeWebhooks } from "../../src/install/webhooks/make-webhooks.ts";
import { webhookNames } from "../../src/install/webhooks/names.ts";
import { dayMs, type KeyedCertificate } from "../../src/pki/certificate.ts";
import type { Logger } from "../../src/telemetry/logger.ts";

const namespace = "ebb-system";
const key = { namespace, name: "ebb-serving-certs" };
const complaints: unknown[] = [];
const quiet: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: (...facts) => void complaints.push(facts),
  error: (...facts) => void complaints.push(facts),
  with: () => quiet,
  enabled: () => false,
};
let server: ApiServer;
let clock: ManualClock;
let published: string[];
let options: CertificateOptions;

beforeEach(async () => {
  complaints.length = 0;
  clock = new ManualClock();
  server = createApiServer(
    { dataDir: ":memory:", definitions: builtinDefinitions, freeze: true },
    { log: quiet, now: () => clock.now() },
  );
  await server.api.create(NamespaceKind, { metadata: { name: namespace } });
  published = [];
  options = {
    secret: key,
    hosts: ["ebb-controller.ebb-system.svc"],
    callers: {
      webhooks: webhookNames,
      apiServices: [],
      definitions: convertedKinds(),
      service: { namespace, name: "ebb-controller" },
    },
    publish: async (bundle) => void published.push(bundle),
  };
});

afterEach(async () => {
  await server.close();
  expect(complaints).toEqual([]);
});

const stored = async () => fromSecret(await server.api.get(SecretKind, key));

test("replicas that start at once agree on one certificate", async () => {
  const deps = { client: server.api, clock };
  const all = await Promise.all([1, 2, 3].map(() => currentCertificates(deps, options)));
  const known = await stored();
  expect(known).toBeDefined();
  for (const one of all) expect(one).toEqual(known);
});

/** One look of a replica, and what it served. */
async function look(served: KeyedCertificate[], after: () => Promise<void> = async () => undefined): Promise<void> {
  const stop = new AbortController();
  const deps = { client: server.api, clock, log: quiet };
  const keeping = keepCertificates(deps, options, (certificate) => served.push(certificate), stop.signal);
  await clock.advance(1);
  await after();
  await clock.advance(10_000);
  stop.abort();
  await clock.advance(1);
  await keeping;
}

test("tells every webhook whom to trust before it serves", async () => {
  const [mutating, validating] = makeWebhooks({ events: true });
  await server.api.create(MutatingWebhookConfigurationKind, mutating as never);
  await server.api.create(ValidatingWebhookConfigurationKind, validating as never);
  const served: KeyedCertificate[] = [];
  await look(served);
  const bundle = (await stored())?.bundle ?? "";
  expect(published.at(-1)).toBe(bundle);
  expect(served).toHaveLength(1);
  const after = await server.api.get(ValidatingWebhookConfigurationKind, { name: webhookNames[1] ?? "" });
  const first = await server.api.get(MutatingWebhookConfigurationKind, { name: webhookNames[0] ?? "" });
  for (const { clientConfig } of [...(after.webhooks ?? []), ...(first.webhooks ?? [])])
    expect(Buffer.from(clientConfig.caBundle ?? "", "base64").toString()).toBe(bundle);
});

test("tells the definition of a kind it converts, and leaves alone one that somebody else converts", async () => {
  const [name = ""] = convertedKinds();
  const caBundles: string[] = [];
  const asked: string[] = [];
  const crd = {
    metadata: { name },
    spec: customKinds()
      .map(makeCrd)
      .find(({ metadata }) => metadata.name === name)?.spec,
  };
  for (const service of ["ebb-controller", "other"]) {
    const definition = structuredClone(crd) as unknown as {
      spec: { conversion: { webhook: { clientConfig: { service: { name: string } } } } };
    };
    definition.spec.conversion.webhook.clientConfig.service.name = service;
    const client = {
      get: async (kind: { readonly kind: string }) => (asked.push(kind.kind), definition),
      patch: async (
        _kind: unknown,
        key: { readonly name: string },
        patch: { readonly body: readonly { path: string; value: string }[] },
      ) => {
        expect(key).toEqual({ name });
        for (const { path, value } of patch.body) caBundles.push(`${service} ${path} ${atob(value)}`);
      },
    } as unknown as Client;
    const callers = { ...options.callers, webhooks: [] };
    await writeCaBundles(client, callers, "the authority");
  }
  expect(asked).toEqual(["CustomResourceDefinition", "CustomResourceDefinition"]);
  expect(caBundles).toEqual(["ebb-controller /spec/conversion/webhook/clientConfig/caBundle the authority"]);
});

test("a Secret that somebody deleted comes back as it was", async () => {
  const served: KeyedCertificate[] = [];
  let before: unknown;
  await look(served, async () => {
    before = await stored();
    await server.api.delete(SecretKind, key);
  });
  expect(before).toBeDefined();
  expect(await stored()).toEqual(before);
  expect(served).toHaveLength(1);
});

test("a certificate that is about to end is replaced while it runs", async () => {
  const served: KeyedCertificate[] = [];
  await look(served, async () => clock.jump(61 * dayMs));
  expect(served).toHaveLength(2);
  expect((await stored())?.serving).toEqual(served[1]);
});
