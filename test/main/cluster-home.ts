/**
 * A cluster made of ebb's own API server over HTTPS: core controllers and a kubelet that starts every pod at once, and
 * nothing of Serving. What `ebb run …` connects to in tests.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { builtinDefinitions } from "../../src/api/definitions.ts";
import { CustomResourceDefinitionKind } from "../../src/api/apiextensions/kinds.ts";
import { NamespaceKind, NodeKind, PodKind } from "../../src/api/core/kinds.ts";
import type { Pod } from "../../src/api/core/types.gen.ts";
import {
  MutatingWebhookConfigurationKind,
  ValidatingWebhookConfigurationKind,
} from "../../src/api/admissionregistration/kinds.ts";
import type { MutatingWebhook } from "../../src/api/admissionregistration/types.gen.ts";
import { groupResourceKey } from "../../src/api/meta/kind.ts";
import type { KubeObject } from "../../src/api/meta/object.ts";
import { isConflict, isNotFound } from "../../src/api/meta/errors.ts";
import { createApiServer, type ApiServer } from "../../src/apiserver/server.ts";
import type { Client } from "../../src/client/client.ts";
import { systemClock } from "../../src/client/clock.ts";
import { createController } from "../../src/client/create-controller.ts";
import { createInformers } from "../../src/client/create-informers.ts";
import { coreControllers } from "../../src/controllers/core-controllers.ts";
import { customKinds } from "../../src/install/crds/custom-kinds.ts";
import { makeCrd } from "../../src/install/crds/make-crd.ts";
import { makeWebhooks } from "../../src/install/webhooks/make-webhooks.ts";
import type { ClusterControllerOptions } from "../../src/main/cluster-controller.ts";
import { standardLease } from "../../src/main/lead-again.ts";
import type { Logger } from "../../src/telemetry/logger.ts";

export interface ClusterHome {
  readonly api: Client;
  readonly server: ApiServer;
  readonly kubeconfig: string;
  readonly directory: string;
  /** Warnings and errors, of the cluster and of what logs with {@link ClusterHome.log}. */
  readonly complaints: string[];
  readonly log: Logger;
  /** False: pods stay pending. */
  podsStart: boolean;
  /** Has writes judged by the webhooks at this port, as an installation does. */
  installWebhooks(port: number, ca: string): Promise<void>;
  options(podName: string): ClusterControllerOptions;
  until<T>(see: () => T | Promise<T>, holds: (seen: T) => boolean, what: string): Promise<T>;
  close(): Promise<void>;
}

export async function startClusterHome(dataDir = ":memory:", port = 0): Promise<ClusterHome> {
  const complaints: string[] = [];
  const log = complainingLog(complaints);
  const directory = mkdtempSync(join(tmpdir(), "ebb-cluster-"));
  // Serving's kinds come by CRDs, as on any cluster: the server itself neither defaults nor checks them.
  const custom = customKinds();
  const byCrd = new Set(custom.map(({ stored }) => groupResourceKey(stored.kind)));
  const definitions = builtinDefinitions.filter((one) => !byCrd.has(groupResourceKey(one.kind)));
  const server = createApiServer({ dataDir, definitions }, { log, now: () => Date.now() });
  const kubeconfig = join(directory, "kubeconfig");
  const taken = await server.listen({ host: "127.0.0.1", port });
  writeFileSync(kubeconfig, server.kubeconfig(`https://127.0.0.1:${taken}`));
  const { api } = server;
  const informers = createInformers(api, { log });
  const core = { client: api, informers, clock: systemClock, log };
  for (const kind of custom) {
    const crd = makeCrd(kind);
    // This server asks no webhook to convert: of kinds with older versions it serves what is stored.
    const { conversion: _, ...spec } = crd.spec;
    await api.create(CustomResourceDefinitionKind, { ...crd, spec });
  }
  const builtInKinds = definitions.filter(({ conversion }) => !conversion).map(({ kind }) => kind);
  const controllers = coreControllers({ ...core, builtInKinds, rootCa: "ca" }).map((spec) =>
    createController(spec, core),
  );
  const stop = new AbortController();
  for (const controller of controllers) controller.start(stop.signal);
  await makeNode(api);
  await unlessThere(api.create(NamespaceKind, { metadata: { name: "ebb-system" } }));
  const home: ClusterHome = {
    api,
    server,
    kubeconfig,
    directory,
    complaints,
    log,
    podsStart: true,
    options: (podName) => ({
      version: "test",
      kubeconfig: [kubeconfig],
      namespace: "ebb-system",
      health: { host: "127.0.0.1", port: 0 },
      serving: { host: "127.0.0.1", port: 0 },
      limit: { perSecond: 1000, burst: 1000 },
      env: { POD_NAME: podName, POD_IP: "10.0.0.1" },
      defaultDomain: "example.com",
      insecureRegistries: [],
      peers: { port: 1, tokenFile: "/nonexistent" },
      podDrainS: 10,
      routers: ["system:serviceaccount:ebb-system:ebb-router"],
      lease: standardLease,
    }),
    until,
    async installWebhooks(port, ca) {
      for (const configuration of makeWebhooks({ events: true })) {
        const kind = configuration.kind?.startsWith("Mutating")
          ? MutatingWebhookConfigurationKind
          : ValidatingWebhookConfigurationKind;
        await api.create(kind as typeof MutatingWebhookConfigurationKind, at(configuration, port, ca));
      }
    },
    async close() {
      stop.abort();
      await Promise.all(controllers.map((controller) => controller.close()));
      await informers.close();
      await server.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
  informers.of(PodKind).onChange(({ type, object }) => {
    if (type !== "deleted") void playKubelet(home, object).catch((error: unknown) => complaints.push(String(error)));
  });
  return home;
}

/** The same webhooks by address: there is no cluster network here. */
function at(configuration: KubeObject, port: number, ca: string): KubeObject {
  const { webhooks } = configuration as unknown as { readonly webhooks: readonly MutatingWebhook[] };
  const caBundle = Buffer.from(ca).toString("base64");
  const moved = webhooks.map((webhook) => ({
    ...webhook,
    clientConfig: { url: `https://127.0.0.1:${port}${webhook.clientConfig.service?.path}`, caBundle },
  }));
  return { ...configuration, webhooks: moved } as KubeObject;
}

const deadlineMs = 15_000;

async function until<T>(see: () => T | Promise<T>, holds: (seen: T) => boolean, what: string): Promise<T> {
  const end = Date.now() + deadlineMs;
  for (;;) {
    const seen = await see();
    if (holds(seen)) return seen;
    if (Date.now() > end) throw new Error(`waited for ${what}, last seen: ${JSON.stringify(seen, undefined, 1)}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function playKubelet({ api, podsStart }: ClusterHome, pod: Pod): Promise<void> {
  const { namespace = "", name } = pod.metadata;
  try {
    if (pod.metadata.deletionTimestamp) {
      await api.delete(PodKind, { namespace, name }, { gracePeriodSeconds: 0 });
      return;
    }
    if (!podsStart || !pod.spec.nodeName || pod.status?.phase === "Running") return;
    const now = new Date().toISOString().replace(/\.\d+Z/, "Z");
    const status = {
      ...pod.status,
      phase: "Running" as const,
      podIP: "10.1.0.1",
      podIPs: [{ ip: "10.1.0.1" }],
      conditions: [{ type: "Ready", status: "True" as const, lastTransitionTime: now }],
    };
    await api.update(PodKind, { ...pod, status }, { subresource: "status" });
  } catch (error) {
    if (!isConflict(error) && !isNotFound(error)) throw error;
  }
}

async function makeNode(api: Client): Promise<void> {
  const allocatable = { cpu: "4", memory: "8Gi", pods: "110" };
  const node = await api.create(NodeKind, { metadata: { name: "node-1", labels: {} } });
  const conditions = [{ type: "Ready", status: "True" as const }];
  await api.update(
    NodeKind,
    { ...node, status: { allocatable, capacity: allocatable, conditions } },
    { subresource: "status" },
  );
}

async function unlessThere(creation: Promise<unknown>): Promise<void> {
  await creation.catch(() => undefined);
}

function complainingLog(complaints: string[], bound: object = {}): Logger {
  const complain = (message: string, fields?: object): void => {
    const all = { ...bound, ...fields };
    complaints.push(`${message} ${JSON.stringify(all, (_, v: unknown) => (v instanceof Error ? v.message : v))}`);
  };
  return {
    debug: () => undefined,
    info: () => undefined,
    warn: complain,
    error: complain,
    with: (fields) => complainingLog(complaints, { ...bound, ...fields }),
    enabled: () => false,
  };
}
