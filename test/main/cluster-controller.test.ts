import { afterEach, describe, expect, test } from "vitest";
import { builtinDefinitions } from "../../src/api/definitions.ts";
import { isApiError } from "../../src/api/meta/errors.ts";
import type { Draft } from "../../src/api/meta/object.ts";
import type { Service } from "../../src/api/serving/types.gen.ts";
import { createApiServer } from "../../src/apiserver/server.ts";
import type { Client } from "../../src/client/client.ts";
import { LeaseKind } from "../../src/api/coordination/kinds.ts";
import { BrokerKind } from "../../src/api/eventing/kinds.ts";
import { ConfigMapKind, NamespaceKind, PodKind } from "../../src/api/core/kinds.ts";
import { KnativeServiceKind, RevisionKind } from "../../src/api/serving/kinds.ts";
import { conditionOf } from "../../src/api/serving/conditions.ts";
import { startClusterController, type ClusterController } from "../../src/main/cluster-controller.ts";
import { issueCertificate } from "../../src/pki/certificate.ts";
import { startClusterHome, type ClusterHome } from "./cluster-home.ts";

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

async function home(): Promise<ClusterHome> {
  const made = await startClusterHome();
  closers.push(() => made.close());
  return made;
}

const certificate = issueCertificate({
  commonName: "ebb-controller",
  use: "server",
  hosts: ["127.0.0.1"],
  now: Date.now(),
  days: 1,
});

async function controller(cluster: ClusterHome, podName: string): Promise<ClusterController> {
  const started = await startClusterController({ ...cluster.options(podName), certificate }, cluster.log);
  closers.push(() => started.close());
  await cluster.until(
    () => asked(started.healthPort, "/readyz"),
    (text) => text === "ok\n",
    "the controller to be ready",
  );
  return started;
}

const digest = `sha256:${"1".repeat(64)}`;

const createService = (cluster: ClusterHome, name: string) =>
  cluster.api.create(KnativeServiceKind, {
    metadata: { name, namespace: "default" },
    spec: { template: { spec: { containers: [{ image: `registry.example/hello@${digest}` }] } } },
  });

const untilRevisionReady = (cluster: ClusterHome, service: string) =>
  cluster.until(
    async () => (await cluster.api.list(RevisionKind, { namespace: "default" })).items,
    (revisions) =>
      revisions.some((one) => one.metadata.name === `${service}-00001` && conditionOf(one, "Ready")?.status === "True"),
    `${service} to be ready`,
  );

const holder = async (cluster: ClusterHome): Promise<string> => {
  const leases = (await cluster.api.list(LeaseKind, { namespace: "ebb-system" })).items;
  return leases.find(({ metadata }) => metadata.name === "ebb-controller")?.spec?.holderIdentity ?? "";
};

const asked = async (port: number, path: string): Promise<string> =>
  (await fetch(`http://127.0.0.1:${port}${path}`)).text();

test("a Service gets a running pod over HTTPS, and a settled cluster is left alone", async () => {
  const cluster = await home();
  const started = await controller(cluster, "one");
  await cluster.installWebhooks(started.servingPort, certificate.certificate);
  await createService(cluster, "hello");
  await untilRevisionReady(cluster, "hello");
  const [pod] = (await cluster.api.list(PodKind, { namespace: "default" })).items;
  expect(pod?.spec.containers[0]?.image).toBe(`registry.example/hello@${digest}`);

  const versions = async (): Promise<readonly string[]> => {
    const kinds = [KnativeServiceKind, RevisionKind, PodKind] as const;
    const lists = await Promise.all(
      kinds.map((kind) => cluster.api.list<never>(kind as never, { namespace: "default" })),
    );
    return lists.flatMap(({ items }) =>
      items.map(({ metadata }: { metadata: { resourceVersion?: string } }) => metadata.resourceVersion ?? ""),
    );
  };
  await cluster.until(
    async () => {
      const before = await versions();
      await new Promise((resolve) => setTimeout(resolve, 300));
      return [before, await versions()];
    },
    ([before, after]) => JSON.stringify(before) === JSON.stringify(after),
    "nothing to be written any more",
  );
  expect(cluster.complaints).toEqual([]);
});

test("a second replica waits, and leads as soon as the first one leaves", async () => {
  const cluster = await home();
  const first = await controller(cluster, "one");
  await cluster.until(
    () => holder(cluster),
    (who) => who === "one_10.0.0.1",
    "the first to lead",
  );
  const second = await controller(cluster, "two");
  await cluster.installWebhooks(second.servingPort, certificate.certificate);
  await first.close();
  const startedMs = Date.now();
  await cluster.until(
    () => holder(cluster),
    (who) => who === "two_10.0.0.1",
    "the second to lead",
  );
  expect(Date.now() - startedMs).toBeLessThan(2000);
  await createService(cluster, "hello");
  await untilRevisionReady(cluster, "hello");
});

describe("admission", () => {
  const service = (name: string, spec: object) =>
    ({ metadata: { name, namespace: "default" }, spec }) as unknown as Draft<Service>;
  const template = (container: object, more: object = {}) => ({
    template: { ...more, spec: { containers: [{ image: `r.example/hello@${digest}`, ...container }] } },
  });

  async function guarded(): Promise<{ readonly cluster: ClusterHome; readonly standalone: Client }> {
    const cluster = await home();
    const { servingPort } = await controller(cluster, "one");
    await cluster.installWebhooks(servingPort, certificate.certificate);
    const server = createApiServer(
      { dataDir: ":memory:", definitions: builtinDefinitions },
      { log: cluster.log, now: () => Date.now() },
    );
    closers.push(() => server.close());
    return { cluster, standalone: server.api };
  }

  test("defaults and denials are those of the standalone server", async () => {
    const { cluster, standalone } = await guarded();
    const specs: readonly object[] = [
      template({}),
      template({
        ports: [{ containerPort: 9000 }],
        readinessProbe: { httpGet: { path: "/", port: 9000 }, periodSeconds: 3 },
      }),
      { ...template({}), traffic: [{ percent: 60, latestRevision: true }] },
      template({ env: [{ name: "PORT", value: "1" }] }),
      template({}, { metadata: { annotations: { "autoscaling.knative.dev/min-scale": "x" } } }),
      { template: { spec: { containers: [] } } },
      template({ lifecycle: { preStop: { exec: { command: ["true"] } } } }),
    ];
    const outcome = async (api: Client, spec: object, index: number): Promise<unknown> => {
      try {
        return (await api.create(KnativeServiceKind, service(`s${index}`, spec))).spec;
      } catch (error) {
        if (!isApiError(error)) throw error;
        const { code, reason, message } = error.status;
        return { code, reason, message };
      }
    };
    for (const [index, spec] of specs.entries())
      expect(await outcome(cluster.api, spec, index)).toEqual(await outcome(standalone, spec, index));
  });

  test("who made a Service and who changed it last is on it", async () => {
    const { cluster } = await guarded();
    const { metadata } = await cluster.api.create(KnativeServiceKind, service("mine", template({})));
    expect(metadata.annotations?.["serving.knative.dev/creator"]).toMatch(/.+/);
    const stolen = { metadata: { annotations: { "serving.knative.dev/creator": "thief" } } };
    await expect(
      cluster.api.patch(KnativeServiceKind, { namespace: "default", name: "mine" }, { type: "merge", body: stolen }),
    ).rejects.toThrow(/annotation value is immutable: metadata.annotations.serving.knative.dev\/creator/);
  });

  test("a config map of Serving with a bad value is refused, any other config map is nobody's business", async () => {
    const { cluster } = await guarded();
    await cluster.api.create(NamespaceKind, { metadata: { name: "knative-serving" } });
    const map = (namespace: string) => ({
      metadata: { namespace, name: "config-autoscaler" },
      data: { "stable-window": "soon" },
    });
    await expect(cluster.api.create(ConfigMapKind, map("knative-serving"))).rejects.toThrow(
      /^admission webhook "config.webhook.serving.knative.dev" denied the request: validation failed: /,
    );
    await cluster.api.create(ConfigMapKind, map("default"));
  });

  test("what config maps of Eventing say holds for new objects", async () => {
    const { cluster } = await guarded();
    const namespace = "knative-eventing";
    await cluster.api.create(NamespaceKind, { metadata: { name: namespace } });
    const defaults = (data: string) => ({
      metadata: { namespace, name: "config-br-defaults" },
      data: { "default-br-config": data },
    });
    await expect(cluster.api.create(ConfigMapKind, defaults("- no map"))).rejects.toThrow(/not a YAML map/);
    await cluster.api.create(ConfigMapKind, defaults("clusterDefault: { delivery: { retry: 3 } }"));
    let made = 0;
    await expect
      .poll(async () => {
        const metadata = { namespace: "default", name: `b${made++}` };
        return (await cluster.api.create(BrokerKind, { metadata, spec: {} })).spec.delivery?.retry;
      })
      .toBe(3);
  });
});
