import { afterEach, beforeEach, expect, test } from "vitest";
import { NamespaceKind } from "../../src/api/core/kinds.ts";
import { builtinDefinitions } from "../../src/api/definitions.ts";
import { NetworkPolicyKind } from "../../src/api/networking/kinds.ts";
import { RevisionKind } from "../../src/api/serving/kinds.ts";
import { createApiServer } from "../../src/apiserver/server.ts";
import type { Client } from "../../src/client/client.ts";
import { systemClock } from "../../src/client/clock.ts";
import { createController } from "../../src/client/create-controller.ts";
import { createInformers } from "../../src/client/create-informers.ts";
import { instancePolicyController } from "../../src/controllers/networking/instance-policy-controller.ts";
import { silentLog } from "../../src/router/testing/router-harness.ts";

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
  const controller = createController(instancePolicyController({ ...core, systemNamespace: "ebb-system" }), core);
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

const makeRevision = () =>
  api.create(RevisionKind, {
    metadata: { name: "web-00001", namespace: "team" },
    spec: { containers: [{ image: "dev.local/x" }] },
  });

async function names(): Promise<readonly string[]> {
  const { items } = await api.list(NetworkPolicyKind, { namespace: "team" });
  return items.map(({ metadata }) => metadata.name).toSorted();
}

async function until(expected: readonly string[]): Promise<void> {
  const end = performance.now() + 8000;
  for (;;) {
    const seen = await names();
    if (JSON.stringify(seen) === JSON.stringify(expected)) return;
    if (performance.now() > end) throw new Error(`waited for ${expected.join(", ")}; there are ${seen.join(", ")}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const both = ["ebb-instances", "ebb-warm-pods"];

test("a namespace with a Revision lets only ebb's pods reach its instances, also after somebody took the policy away", async () => {
  await makeRevision();
  await until(both);
  const { spec } = await api.get(NetworkPolicyKind, { namespace: "team", name: "ebb-instances" });
  expect(spec).toEqual({
    podSelector: { matchExpressions: [{ key: "serving.knative.dev/revision", operator: "Exists" }] },
    policyTypes: ["Ingress"],
    ingress: [
      {
        from: [
          {
            namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "ebb-system" } },
            podSelector: { matchLabels: { "app.kubernetes.io/name": "ebb" } },
          },
        ],
      },
    ],
  });
  await api.delete(NetworkPolicyKind, { namespace: "team", name: "ebb-instances" });
  await until(both);
});

test("a namespace that says any is left open, and closed again when it no longer does", async () => {
  await makeRevision();
  await until(both);
  const say = (value: string | null) =>
    api.patch(
      NamespaceKind,
      { name: "team" },
      { type: "merge", body: { metadata: { annotations: { "ebb.dev/instance-access": value } } } },
    );
  await say("any");
  await until([]);
  await say(null);
  await until(both);
});

test("a policy of the user's under the same name stays as it is, and goes with nobody", async () => {
  const theirs = { podSelector: { matchLabels: { app: "x" } }, policyTypes: ["Ingress"] };
  await api.create(NetworkPolicyKind, { metadata: { name: "ebb-instances", namespace: "team" }, spec: theirs });
  await makeRevision();
  await until(both);
  await api.delete(RevisionKind, { namespace: "team", name: "web-00001" });
  await until(["ebb-instances"]);
  const { spec } = await api.get(NetworkPolicyKind, { namespace: "team", name: "ebb-instances" });
  expect(spec?.podSelector).toEqual({ matchLabels: { app: "x" } });
});
