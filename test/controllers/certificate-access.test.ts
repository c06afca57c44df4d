/** Routers read the Secrets that Ingresses have certificates in, and nothing else. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { NamespaceKind } from "../../src/api/core/kinds.ts";
import { builtinDefinitions } from "../../src/api/definitions.ts";
import { KIngressKind } from "../../src/api/networking-internal/kinds.ts";
import type { IngressTLS } from "../../src/api/networking-internal/types.gen.ts";
import { RoleBindingKind, RoleKind } from "../../src/api/rbac/kinds.ts";
import { createApiServer } from "../../src/apiserver/server.ts";
import type { Client } from "../../src/client/client.ts";
import { systemClock } from "../../src/client/clock.ts";
import { createController } from "../../src/client/create-controller.ts";
import { createInformers } from "../../src/client/create-informers.ts";
import { certificateAccessController } from "../../src/controllers/networking/certificate-access-controller.ts";
import { silentLog } from "../../src/router/testing/router-harness.ts";
import { routeTo } from "../router/cluster-harness.ts";

const name = "ebb-router-certificates";
let api: Client;
const closers: (() => Promise<void>)[] = [];
beforeEach(async () => {
  const server = createApiServer(
    { dataDir: ":memory:", definitions: builtinDefinitions },
    { log: silentLog, now: () => Date.now() },
  );
  api = server.api;
  const informers = createInformers(api, { log: silentLog });
  const core = { client: api, informers, clock: systemClock, log: silentLog };
  const routers = ["system:serviceaccount:ebb-system:ebb-router"];
  const controller = createController(certificateAccessController({ ...core, routers }), core);
  const stop = new AbortController();
  controller.start(stop.signal);
  closers.push(
    () => server.close(),
    () => informers.close(),
    () => controller.close(),
    async () => stop.abort(),
  );
  await api.create(NamespaceKind, { metadata: { name: "team" } });
});
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

const makeIngress = (ingress: string, tls: readonly IngressTLS[]) =>
  api.create(KIngressKind, {
    metadata: { name: ingress, namespace: "team" },
    spec: { tls, ...routeTo("one.test", "one-00001") },
  });

/** What the Role of the namespace names; undefined without one. */
async function readable(namespace = "team"): Promise<readonly string[] | undefined> {
  const { items } = await api.list(RoleKind, { namespace });
  const role = items.find(({ metadata }) => metadata.name === name);
  return role?.rules[0]?.resourceNames;
}

async function until(expected: readonly string[] | undefined): Promise<void> {
  const end = performance.now() + 8000;
  for (;;) {
    const seen = await readable();
    if (JSON.stringify(seen) === JSON.stringify(expected)) return;
    if (performance.now() > end)
      throw new Error(`waited for ${expected?.join(", ")}; readable are ${seen?.join(", ")}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

test("routers may get the Secrets that Ingresses of a namespace name, while they do", async () => {
  await makeIngress("one", [{ hosts: ["one.test"], secretName: "one-tls" }]);
  await until(["one-tls"]);
  await makeIngress("two", [{ hosts: ["two.test"], secretName: "a-tls", secretNamespace: "team" }]);
  await until(["a-tls", "one-tls"]);
  const role = await api.get(RoleKind, { namespace: "team", name });
  expect(role.rules).toEqual([
    { apiGroups: [""], resources: ["secrets"], verbs: ["get"], resourceNames: ["a-tls", "one-tls"] },
  ]);
  await expect
    .poll(async () => (await api.list(RoleBindingKind, { namespace: "team" })).items)
    .toMatchObject([
      {
        metadata: { name },
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name },
        subjects: [{ kind: "ServiceAccount", namespace: "ebb-system", name: "ebb-router" }],
      },
    ]);
  await api.delete(KIngressKind, { namespace: "team", name: "one" });
  await until(["a-tls"]);
  await api.delete(KIngressKind, { namespace: "team", name: "two" });
  await until(undefined);
  await expect.poll(async () => (await api.list(RoleBindingKind, { namespace: "team" })).items).toEqual([]);
});

test("what somebody widened or took away is put right", async () => {
  await makeIngress("one", [{ hosts: ["one.test"], secretName: "one-tls" }]);
  await until(["one-tls"]);
  const role = await api.get(RoleKind, { namespace: "team", name });
  await api.update(RoleKind, { ...role, rules: [{ apiGroups: [""], resources: ["secrets"], verbs: ["get"] }] });
  await until(["one-tls"]);
  await api.delete(RoleKind, { namespace: "team", name });
  await until(["one-tls"]);
});

test("an Ingress opens no Secret of another namespace, and a role of somebody else's is left alone", async () => {
  await api.create(NamespaceKind, { metadata: { name: "bank" } });
  const rules = [{ apiGroups: [""], resources: ["pods"], verbs: ["list"] }];
  await api.create(RoleKind, { metadata: { name, namespace: "bank" }, rules });
  await api.create(KIngressKind, {
    metadata: { name: "mine", namespace: "bank" },
    spec: { tls: [{ hosts: ["bank.test"], secretName: "bank-tls" }], ...routeTo("bank.test", "bank-00001") },
  });
  await makeIngress("one", [
    { hosts: ["one.test"], secretName: "vault", secretNamespace: "bank" },
    { hosts: ["one.test"], secretName: "one-tls" },
  ]);
  await until(["one-tls"]);
  expect((await api.list(RoleBindingKind, { namespace: "bank" })).items).toEqual([]);
  expect((await api.get(RoleKind, { namespace: "bank", name })).rules).toEqual(rules);
});
