/**
 * The Serving controllers on a real API server in memory. Two parts are played by the test: `instances` (the
 * autoscaler and the pods) and `router`; both answer at once unless told otherwise.
 */
import { DeploymentKind } from "../../src/api/apps/kinds.ts";
import type { Deployment } from "../../src/api/apps/types.gen.ts";
import { PodAutoscalerKind } from "../../src/api/autoscaling-internal/kinds.ts";
import type { PodAutoscaler } from "../../src/api/autoscaling-internal/types.gen.ts";

import { builtinDefinitions } from "../../src/api/definitions.ts";
import { isConflict, isNotFound } from "../../src/api/meta/errors.ts";
import type { Kind } from "../../src/api/meta/kind.ts";
import type { Draft } from "../../src/api/meta/object.ts";
import { KIngressKind } from "../../src/api/networking-internal/kinds.ts";
import type { Ingress } from "../../src/api/networking-internal/types.gen.ts";
import { isTrue, nextConditions } from "../../src/api/serving/conditions.ts";
import { servingKeys } from "../../src/api/serving/keys.ts";
import { KnativeServiceKind } from "../../src/api/serving/kinds.ts";
import type { Condition, Service } from "../../src/api/serving/types.gen.ts";
import { createApiServer } from "../../src/apiserver/server.ts";
import type { Client } from "../../src/client/client.ts";
import { systemClock } from "../../src/client/clock.ts";
import { createController } from "../../src/client/create-controller.ts";
import { createInformers } from "../../src/client/create-informers.ts";
import { servingControllers } from "../../src/controllers/serving-controllers.ts";
import type { ControllerSpec } from "../../src/client/controller.ts";
import type { ServingDeps } from "../../src/controllers/serving/deps.ts";
import type { Logger } from "../../src/telemetry/logger.ts";

export const namespace = "default";

export interface ServingPlane {
  readonly api: Client;
  /** `reason: message` of every event the controllers recorded. */
  readonly events: string[];
  /** Warnings and errors that were logged. */
  readonly complaints: string[];
  /** False: nothing starts until it is true again and {@link ServingPlane.nudge} is called. */
  instancesStart: boolean;
  routerAnswers: boolean;
  /** Plays both parts for everything there is now. */
  nudge(): Promise<void>;
  apply(name: string, change?: (service: Draft<Service>) => Draft<Service>): Promise<Service>;
  service(name: string): Promise<Service>;
  until<T>(read: () => Promise<T>, holds: (value: T) => boolean, what: string): Promise<T>;
  ready(name: string): Promise<Service>;
  close(): Promise<void>;
}

export const condition = (
  object: { readonly status?: { readonly conditions?: readonly Condition[] } },
  type: string,
): string => {
  const found = object.status?.conditions?.find((known) => known.type === type);
  return found ? [found.status, found.reason].filter(Boolean).join(" ") : "absent";
};

export const isCurrentlyReady = ({ metadata, status }: Service): boolean =>
  status?.observedGeneration === metadata.generation && condition({ status: status ?? {} }, "Ready") === "True";

/** `spoil` may throw instead of a write that the controllers make. */
export interface ServingPlaneOptions extends Partial<ServingDeps> {
  readonly spoil?: (verb: "create" | "update", kind: Kind) => void;
  /** What is there before any controller. */
  readonly before?: (api: Client) => Promise<void>;
  /** Controllers that run beside those of Serving. */
  readonly more?: (deps: ServingDeps) => readonly ControllerSpec[];
}

export async function createServingPlane({
  spoil,
  before,
  more,
  ...overrides
}: ServingPlaneOptions = {}): Promise<ServingPlane> {
  const { clock = systemClock } = overrides;
  const complaints: string[] = [];
  const complain = (message: string, fields?: Readonly<Record<string, unknown>>): void => {
    complaints.push(`${message} ${String(fields?.key ?? "")} ${String(fields?.err ?? "")}`);
  };
  const log: Logger = {
    debug: () => undefined,
    info: () => undefined,
    warn: complain,
    error: complain,
    with: (extra) => ({ ...log, warn: (m, f) => complain(m, { ...extra, ...f }) }),
    enabled: () => false,
  };
  const server = createApiServer(
    { dataDir: ":memory:", definitions: builtinDefinitions, freeze: true },
    { log, now: () => Date.now() },
  );
  const api: Client = server.api;
  await before?.(api);
  const informers = createInformers(api, { log });
  const events: string[] = [];
  const client: Client = {
    ...api,
    create: async (kind, ...rest) => (spoil?.("create", kind), api.create(kind, ...rest)),
    update: async (kind, ...rest) => (spoil?.("update", kind), api.update(kind, ...rest)),
  };
  const deps: ServingDeps = {
    client,
    informers,
    clock,
    log,
    recorder: { record: ({ reason, message }) => void events.push(`${reason}: ${message}`) },
    externalPort: () => 8080,
    defaultDomain: "localhost",
    resolveDigest: async (image) => `${image}@sha256:${"0".repeat(64)}`,
    ...overrides,
  };
  const specs = [...servingControllers(deps), ...(more?.(deps) ?? [])];
  const controllers = specs.map((spec) => createController(spec, { informers, log, clock }));
  const stop = new AbortController();
  for (const controller of controllers) controller.start(stop.signal);
  await informers.synced(stop.signal);

  const plane: ServingPlane = {
    api,
    events,
    complaints,
    instancesStart: true,
    routerAnswers: true,
    async nudge() {
      await Promise.all(
        informers
          .of(PodAutoscalerKind)
          .list()
          .map((pa) => playInstances(plane, pa)),
      );
      await Promise.all(
        informers
          .of(KIngressKind)
          .list()
          .map((ingress) => playRouter(plane, ingress)),
      );
    },
    async apply(name, change = (service) => service) {
      const draft = change({
        metadata: { name, namespace },
        spec: { template: { spec: { containers: [{ image: "dev.local/hello:1" }] } } },
      });
      const body = { ...draft, apiVersion: "serving.knative.dev/v1", kind: "Service" };
      const options = { fieldManager: "test", force: true };
      return api.patch(KnativeServiceKind, { namespace, name }, { type: "apply", body }, options);
    },
    service: (name) => api.get(KnativeServiceKind, { namespace, name }),
    until,
    ready: (name) => until(() => plane.service(name), isCurrentlyReady, `${name} to be ready`),
    async close() {
      stop.abort();
      await Promise.all(controllers.map((controller) => controller.close()));
      await informers.close();
      await server.close();
    },
  };
  const play = (part: () => Promise<void>): void =>
    void part().catch((error: unknown) => complaints.push(String(error)));
  informers.of(PodAutoscalerKind).onChange(({ type, object }) => {
    if (type !== "deleted") play(() => playInstances(plane, object));
  });
  informers.of(DeploymentKind).onChange(({ type, object }) => {
    const pa = informers.of(PodAutoscalerKind).get(`${namespace}/${object.metadata.labels?.[servingKeys.revision]}`);
    if (type === "added" && pa) play(() => playInstances(plane, pa));
  });
  informers.of(KIngressKind).onChange(({ type, object }) => {
    if (type !== "deleted") play(() => playRouter(plane, object));
  });
  return plane;
}

const deadlineMs = 15_000;

async function until<T>(read: () => Promise<T>, holds: (value: T) => boolean, what: string): Promise<T> {
  const end = Date.now() + deadlineMs;
  for (;;) {
    const value = await read();
    if (holds(value)) return value;
    if (Date.now() > end) throw new Error(`waited for ${what}, last seen: ${JSON.stringify(value, undefined, 1)}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** One ready instance per revision, as the autoscaler and the Deployment's controller would report it. */
async function playInstances(plane: ServingPlane, pa: PodAutoscaler): Promise<void> {
  if (!plane.instancesStart || pa.status?.conditions?.some((c) => c.type === "Ready" && c.status === "True")) return;
  const { name = "", namespace = "" } = {
    name: pa.spec.scaleTargetRef.name ?? "",
    namespace: pa.metadata.namespace ?? "",
  };
  await tolerant(async () => {
    const deployment: Deployment = await plane.api.get(DeploymentKind, { namespace, name });
    const counts = { replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1 };
    await plane.api.update(
      DeploymentKind,
      { ...deployment, status: { ...deployment.status, ...counts } },
      { subresource: "status" },
    );
    const types = { dependents: ["Active", "SKSReady", "ScaleTargetInitialized"], info: [] };
    const verdicts = { Active: isTrue, SKSReady: isTrue, ScaleTargetInitialized: isTrue };
    const status = {
      observedGeneration: pa.metadata.generation ?? 0,
      conditions: nextConditions(types, pa.status?.conditions, verdicts, Date.now()),
      actualScale: 1,
      desiredScale: 1,
    };
    await plane.api.update(PodAutoscalerKind, { ...pa, status }, { subresource: "status" });
  });
}

async function playRouter(plane: ServingPlane, ingress: Ingress): Promise<void> {
  if (!plane.routerAnswers || ingress.status?.observedGeneration === ingress.metadata.generation) return;
  const types = { dependents: ["LoadBalancerReady", "NetworkConfigured"], info: [] };
  const verdicts = { LoadBalancerReady: isTrue, NetworkConfigured: isTrue };
  const status = {
    observedGeneration: ingress.metadata.generation ?? 0,
    conditions: nextConditions(types, ingress.status?.conditions, verdicts, Date.now()),
  };
  await tolerant(() => plane.api.update(KIngressKind, { ...ingress, status }, { subresource: "status" }));
}

/** A stale write is followed by a fresh event, a missing object needs none. */
async function tolerant(write: () => Promise<unknown>): Promise<void> {
  try {
    await write();
  } catch (error) {
    if (!isConflict(error) && !isNotFound(error)) throw error;
  }
}
