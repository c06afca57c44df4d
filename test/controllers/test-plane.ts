/** A control plane without nodes: the real API server in memory, the real informers and controllers, a manual clock. */
import { builtinDefinitions } from "../../src/api/definitions.ts";
import { NodeKind, PodKind } from "../../src/api/core/kinds.ts";
import type { Pod } from "../../src/api/core/types.gen.ts";
import { isNotFound } from "../../src/api/meta/errors.ts";
import { formatTime } from "../../src/api/meta/time.ts";
import { createApiServer } from "../../src/apiserver/server.ts";
import type { Client } from "../../src/client/client.ts";
import { createController } from "../../src/client/create-controller.ts";
import { createInformers, type OpenInformers } from "../../src/client/create-informers.ts";
import { ManualClock } from "../../src/client/manual-clock.ts";
import { coreControllers, type CoreControllersDeps } from "../../src/controllers/core-controllers.ts";
import type { Logger } from "../../src/telemetry/logger.ts";

export interface TestPlane {
  readonly api: Client;
  readonly informers: OpenInformers;
  readonly clock: ManualClock;
  /** Warnings and errors logged so far. */
  readonly complaints: readonly string[];
  /** Awaits a condition in real time while simulated time stands still; fails with what was seen last. */
  until<T>(see: () => Promise<T>, holds: (seen: T) => boolean, what: string): Promise<T>;
  pods(namespace?: string): Promise<readonly Pod[]>;
  /** Plays kubelet for pods that have none of this yet: Running, and Ready unless told. */
  run(pods: readonly Pod[], options?: { readonly ready?: boolean }): Promise<void>;
  /** Plays kubelet for a pod that ended. */
  end(pod: Pod, exitCode: number): Promise<void>;
  close(): Promise<void>;
}

export interface TestPlaneOptions {
  /** Names of the controllers to run; all when absent. */
  readonly only?: readonly string[];
  readonly nodes?: number;
  readonly extra?: Partial<CoreControllersDeps>;
  /** What the controllers use in place of the API itself: the same with faults. */
  readonly faulty?: (api: Client) => Client;
}

const deadlineMs = 5000;

export async function createTestPlane({ only, nodes = 1, extra, faulty }: TestPlaneOptions = {}): Promise<TestPlane> {
  const complaints: string[] = [];
  const complain = (message: string, fields?: object): void => void complaints.push(`${message} ${describe(fields)}`);
  const log: Logger = {
    debug: () => undefined,
    info: () => undefined,
    warn: complain,
    error: complain,
    with: () => log,
    enabled: () => true,
  };
  const clock = new ManualClock();
  const now = (): number => clock.now();
  const server = createApiServer({ dataDir: ":memory:", definitions: builtinDefinitions, freeze: true }, { log, now });
  const api: Client = server.api;
  const informers = createInformers(api, { log, clock });
  const builtInKinds = builtinDefinitions.map(({ kind }) => kind);
  const stop = new AbortController();
  const controllers = coreControllers({
    client: faulty ? faulty(api) : api,
    informers,
    clock,
    log,
    builtInKinds,
    rootCa: "ca",
    ...extra,
  })
    .filter(({ name }) => only === undefined || only.includes(name))
    .map((spec) => createController(spec, { informers, log, clock }));
  for (const controller of controllers) controller.start(stop.signal);
  for (let i = 0; i < nodes; i++) await createNode(api, `node-${i}`);

  const pods: TestPlane["pods"] = async (namespace = "default") => (await api.list(PodKind, { namespace })).items;
  const addresses = new Map<string | undefined, string>();
  const podAddress = ({ metadata: { uid } }: Pod): string => {
    const address = addresses.get(uid) ?? `10.0.${addresses.size >> 8}.${addresses.size & 255}`;
    addresses.set(uid, address);
    return address;
  };
  const setStatus = async (pod: Pod, status: Pod["status"]): Promise<void> => {
    const { namespace = "", name } = pod.metadata;
    const current = await api.get(PodKind, { namespace, name });
    const next = { ...current, status: { ...current.status, ...status } };
    await api.update(PodKind, next, { subresource: "status" });
  };
  return {
    api,
    informers,
    clock,
    complaints,
    pods,
    async until(see, holds, what) {
      const untilMs = performance.now() + deadlineMs;
      let seen = await see();
      while (!holds(seen)) {
        if (performance.now() > untilMs) {
          throw new Error(`waited for ${what}; last saw ${describe(seen)}; complaints: ${complaints.join("; ")}`);
        }
        await clock.settle(1);
        seen = await see();
      }
      return seen;
    },
    async run(started, { ready = true } = {}) {
      for (const pod of started) {
        const lastTransitionTime = formatTime(clock.now());
        const conditions = [
          ...(pod.status?.conditions ?? []).filter(({ type }) => type !== "Ready"),
          { type: "Ready", status: ready ? "True" : "False", lastTransitionTime },
        ];
        const podIP = podAddress(pod);
        await setStatus(pod, {
          phase: "Running",
          conditions,
          podIP,
          podIPs: [{ ip: podIP }],
          startTime: lastTransitionTime,
        });
      }
    },
    async end(pod, exitCode) {
      const finishedAt = formatTime(clock.now());
      const [container] = pod.spec.containers;
      await setStatus(pod, {
        phase: exitCode === 0 ? "Succeeded" : "Failed",
        conditions: [{ type: "Ready", status: "False", lastTransitionTime: finishedAt }],
        containerStatuses: [
          {
            name: container?.name ?? "",
            ready: false,
            restartCount: 0,
            image: "i",
            imageID: "",
            state: { terminated: { exitCode, finishedAt, startedAt: finishedAt } },
          },
        ],
      });
    },
    async close() {
      stop.abort();
      await Promise.all(controllers.map((controller) => controller.close()));
      await informers.close();
      await server.close();
    },
  };
}

async function createNode(api: Client, name: string): Promise<void> {
  const allocatable = { cpu: "4", memory: "8Gi", pods: "110" };
  const node = await api.create(NodeKind, { metadata: { name, labels: { "kubernetes.io/hostname": name } } });
  const conditions = [{ type: "Ready", status: "True" }];
  const status = { allocatable, capacity: allocatable, conditions };
  await api.update(NodeKind, { ...node, status }, { subresource: "status" });
}

/** Plays kubelet for a pod that is being deleted: removes it for good. */
export async function finishDeletion(api: Client, pod: Pod): Promise<void> {
  const { namespace = "", name } = pod.metadata;
  try {
    await api.delete(PodKind, { namespace, name }, { gracePeriodSeconds: 0 });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

function describe(value: unknown): string {
  if (typeof value !== "object" || value === null) return String(value);
  const text = JSON.stringify(value, (_, inner: unknown) => (inner instanceof Error ? inner.message : inner));
  return text.slice(0, 2000);
}
