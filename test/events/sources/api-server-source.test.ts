/** ApiServerSources on the real API server, over HTTPS, as ServiceAccounts that may do little. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ConfigMapKind, NamespaceKind, ServiceAccountKind } from "../../../src/api/core/kinds.ts";
import { builtinDefinitions } from "../../../src/api/definitions.ts";
import { RoleBindingKind, RoleKind } from "../../../src/api/rbac/kinds.ts";
import { createApiServer, type ApiServer } from "../../../src/apiserver/server.ts";
import { systemClock } from "../../../src/client/clock.ts";
import type { EventStore } from "../../../src/events/log/event-store.ts";
import { openSqliteStore } from "../../../src/events/log/sqlite-store.ts";
import { createApiAs } from "../../../src/main/api-as.ts";
import { createSourceBench, until, type SourceBench } from "./source-bench.ts";
import { silentLogger as log } from "../../silent-logger.ts";

const namespace = "default";

describe("an ApiServerSource", () => {
  let dir = "";
  let store: EventStore;
  let server: ApiServer;
  let port = 0;
  let bench: SourceBench;

  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), "ebb-api-source-"));
    store = openSqliteStore({ path: join(dir, "events.db") }, systemClock);
    server = createApiServer({ dataDir: ":memory:", definitions: builtinDefinitions }, { log, now: () => Date.now() });
    port = await server.listen({ host: "127.0.0.1", port: 0 });
    bench = await openBench();
    await server.api.create(ServiceAccountKind, { metadata: { name: "watcher", namespace } });
  });
  afterEach(async () => {
    await bench.close();
    await server.close();
    await store.close();
    rmSync(dir, { recursive: true });
  });

  const openBench = (): Promise<SourceBench> =>
    createSourceBench({
      documents: store,
      apiAs: createApiAs({
        server: () => ({ server: `https://127.0.0.1:${port}`, ca: server.caCertificate }),
        issue: ({ namespace: home, name }) =>
          server.requestAccountToken({
            namespace: home,
            serviceAccount: name,
            audiences: [],
            expirationSeconds: 3600,
          }),
        userAgent: "test",
      }),
    });

  async function allow(home = namespace): Promise<void> {
    await server.api.create(RoleKind, {
      metadata: { name: "watch", namespace: home },
      rules: [{ apiGroups: [""], resources: ["configmaps"], verbs: ["get", "list", "watch"] }],
    } as never);
    await server.api.create(RoleBindingKind, {
      metadata: { name: "watch", namespace: home },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "watch" },
      subjects: [{ kind: "ServiceAccount", name: "watcher", namespace }],
    } as never);
  }

  const set = (settings: object = {}) => {
    const spec = bench.spec("ApiServerSource", {
      serviceAccountName: "watcher",
      mode: "Resource",
      watched: [{ kind: ConfigMapKind }],
      namespaces: [namespace],
      ...settings,
    });
    bench.runner.setSource(spec);
    return spec;
  };
  const connected = async (settings: object = {}) => {
    const spec = set(settings);
    await until(
      () => bench.runner.sourceState(spec.key)?.connected,
      (is) => is === true,
      "connection",
    );
    return spec;
  };
  const map = (name: string, more: object = {}, home = namespace) =>
    server.api.create(ConfigMapKind, { metadata: { name, namespace: home, ...more }, data: { a: "1" } });
  const told = (): readonly string[] =>
    bench.received.map(
      ({ headers }) => `${String(headers["ce-type"]).split(".").at(-1)} ${String(headers["ce-name"])}`,
    );
  const tells = (wanted: readonly string[]) =>
    until(
      () => told().join(),
      (seen) => seen === wanted.join(),
      wanted.join(),
    );

  test("tells changes in order, as its account sees them, and not what was there before", async () => {
    await allow();
    await map("before", { labels: { app: "x" } });
    await connected({ watched: [{ kind: ConfigMapKind, selector: { matchLabels: { app: "x" } } }] });
    await map("other", { labels: { app: "y" } });
    const made = await map("mine", { labels: { app: "x" } });
    await server.api.update(ConfigMapKind, { ...made, data: { a: "2" } });
    await server.api.delete(ConfigMapKind, { namespace, name: "mine" });
    await tells(["add mine", "update mine", "delete mine"]);
    const [, update] = bench.received;
    expect(update?.headers).toMatchObject({
      "ce-type": "dev.knative.apiserver.resource.update",
      "ce-source": "https://kubernetes.default.svc",
      "ce-subject": "/apis/v1/namespaces/default/configmaps/mine",
      "ce-kind": "ConfigMap",
      "ce-apiversion": "v1",
      "ce-namespace": "default",
    });
    expect(JSON.parse(update?.body.toString() ?? "")).toMatchObject({ kind: "ConfigMap", data: { a: "2" } });
  });

  test("does not watch what its account may not, says which permission lacks, and begins when it is given", async () => {
    const spec = set();
    const state = await until(
      () => bench.runner.sourceState(spec.key),
      (now) => now?.trouble !== undefined,
      "trouble",
    );
    expect(state?.trouble).toBe(
      'User system:serviceaccount:default:watcher cannot get, list, watch resource "configmaps" in API group "" in Namespace "default": bind a role to the account',
    );
    await allow();
    await connected();
    await map("now");
    await tells(["add now"]);
  });

  test("an account that is not there may nothing, and it begins when there is one", async () => {
    await server.api.delete(ServiceAccountKind, { namespace, name: "watcher" });
    await allow();
    const spec = set();
    await until(
      () => bench.runner.sourceState(spec.key)?.trouble,
      (trouble) =>
        trouble ===
        'User system:serviceaccount:default:watcher cannot get, list, watch resource "configmaps" in API group "" in Namespace "default": there is no such account',
      "trouble",
    );
    await server.api.create(ServiceAccountKind, { metadata: { name: "watcher", namespace } });
    await connected();
  });

  test("whoever takes it over goes on where it was, and tells nothing twice that was taken", async () => {
    await allow();
    const spec = await connected();
    await map("one");
    await tells(["add one"]);
    await bench.runner.removeSource(spec.key, spec.uid);
    await map("two");
    await server.api.delete(ConfigMapKind, { namespace, name: "one" });
    await connected();
    await tells(["add one", "add two", "delete one"]);
  });

  test("a version that the server has forgotten is begun anew, and told", async () => {
    await allow();
    const spec = await connected();
    await map("one");
    await tells(["add one"]);
    await bench.runner.removeSource(spec.key, spec.uid);
    for (let i = 0; i < 5; i++) await map(`missed-${i}`);
    server.compact();
    await connected();
    await until(
      () => bench.runner.sourceState(spec.key)?.facts?.["apiserver.missed"],
      (text) => text?.startsWith("configmaps before ") === true,
      "what was missed",
    );
    await map("after");
    await tells(["add one", "add after"]);
  });

  test("filters, owners and modes choose what is sent", async () => {
    await allow();
    await server.api.create(NamespaceKind, { metadata: { name: "elsewhere" } });
    await allow("elsewhere");
    const owned = (controller: boolean) => ({
      ownerReferences: [{ apiVersion: "apps/v1", kind: "ReplicaSet", name: "r", uid: "u", controller }],
    });
    await connected({
      mode: "Reference",
      namespaces: [namespace, "elsewhere"],
      owner: { apiVersion: "apps/v1", kind: "ReplicaSet" },
      filters: [{ prefix: { type: "dev.knative.apiserver.ref.add" } }],
    });
    await map("free");
    await map("held", owned(false));
    const kept = await map("owned", owned(true), "elsewhere");
    await server.api.update(ConfigMapKind, { ...kept, data: {} });
    await map("last", owned(true));
    await until(
      () => told().toSorted().join(),
      (seen) => seen === "add last,add owned",
      "two events",
    );
    expect(bench.received.every(({ body }) => !body.toString().includes('"data"'))).toBe(true);
  });
});
