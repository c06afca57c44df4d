import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Container, Pod, PodTemplateSpec } from "../../api/core/types.gen.ts";
import type { Clock } from "../../client/clock.ts";
import type { Logger } from "../../telemetry/logger.ts";
import { resolveEnv, type EnvSources } from "../env/container-env.ts";
import { createLogFile } from "../logs/log-file.ts";
import { watchHealth } from "../pod/container-probes.ts";
import { makeContainerStart } from "../pod/container-start.ts";
import type { AheadOfPod } from "../pod/pod-runner.ts";
import { protocolOf, revisionUidLabel, servingContainer, servingPort } from "../pod/serving.ts";
import { terminate } from "../pod/terminate.ts";
import type { ContainerRuntime } from "../runtime.ts";
import { createTurns } from "./turns.ts";
import type { InstanceHub, InstanceTracker } from "./instance-hub.ts";

/** Mirrors controllers/autoscaling/launcher.ts. */
export interface StartAhead {
  readonly revision: string;
  readonly namespace: string;
  readonly template: PodTemplateSpec;
  readonly count: number;
}

export interface AheadDeps {
  readonly runtime: ContainerRuntime;
  readonly clock: Clock;
  readonly log: Logger;
  readonly env: EnvSources;
  readonly hub: InstanceHub;
  /** Instances of a revision that pods already have, running or starting. */
  readonly bound: (revisionUid: string) => number;
  /** Pods on this node, of whatever kind. */
  readonly podCount: () => number;
  readonly beforeTerminate: (instanceId: string) => Promise<void>;
  /** Why a revision has no instance; undefined clears it. */
  readonly onFailure: (revision: string, reason: string | undefined) => void;
  readonly newId: () => string;
}

export interface AheadOptions {
  readonly runDir: string;
  readonly logDir: string;
  readonly hostIP: string;
  /** Pods this node takes; instances ahead of their pods count as pods. */
  readonly maxPods: number;
  /** Processors of this machine. */
  readonly processors: number;
  /** An instance that no pod has taken after this long is stopped. */
  readonly unboundMs: number;
}

interface Ahead extends AheadOfPod {
  ready: boolean;
  readonly release: () => void;
}

interface Waiting {
  /** Starts under way whose process does not exist yet. */
  starting: number;
  readonly instances: Set<Ahead>;
  /** Pods that came while starts were under way; each gets the next that is started, or nothing when it fails. */
  readonly claimants: ((ahead: AheadOfPod | undefined) => void)[];
}

/** In a burst the hosts that are ready are heard between the starts of others. */
const startsPerTurn = 4;

/** Starts instances of revisions ahead of their pods, and hands them over when the pods come. */
export interface AheadStarter {
  /** Whether instances that wait for their pods are there or starting now. */
  startAhead(request: StartAhead): boolean;
  /** More instances are on their way to serving than there are processors. */
  isBusy(): boolean;
  /** An instance for this pod, now the caller's; waits for one whose start is under way. */
  adopt(pod: Pod): Promise<AheadOfPod | undefined>;
  close(): Promise<void>;
}

export function createAheadStarter(deps: AheadDeps, options: AheadOptions): AheadStarter {
  const byRevision = new Map<string, Waiting>();
  const turns = createTurns(deps.clock, startsPerTurn);
  let closed = false;

  const waitingOf = (uid: string): Waiting => {
    let waiting = byRevision.get(uid);
    if (!waiting) byRevision.set(uid, (waiting = { starting: 0, instances: new Set(), claimants: [] }));
    return waiting;
  };
  const forget = (uid: string): void => {
    const waiting = byRevision.get(uid);
    if (waiting && waiting.starting === 0 && waiting.instances.size === 0) byRevision.delete(uid);
  };

  const countUnbound = (): number => {
    let count = 0;
    for (const { starting, instances } of byRevision.values()) count += starting + instances.size;
    return count;
  };

  async function startOne(request: StartAhead, container: Container, uid: string): Promise<void> {
    const waiting = waitingOf(uid);
    waiting.starting += 1;
    try {
      const turn = turns.take();
      if (turn) await turn;
      const ahead = await launch(deps, options, request, container);
      if (!ahead) return;
      if (closed) return void ahead.running.signal("SIGKILL");
      const claimant = waiting.claimants.shift();
      if (claimant) claimant(ahead);
      else own(ahead, uid, waiting, container);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      deps.log.warn("instance could not be started ahead of its pod", { revision: request.revision, err: error });
      deps.onFailure(request.revision, reason);
    } finally {
      waiting.starting -= 1;
      // A failed start leaves a pod too many waiting: it starts by itself and its status says what is wrong.
      while (waiting.claimants.length > waiting.starting) waiting.claimants.shift()?.(undefined);
      forget(uid);
    }
  }

  /** Until a pod takes it: watches its readiness, and ends it when none does. */
  function own(started: Omit<Ahead, "ready" | "release">, uid: string, waiting: Waiting, container: Container): void {
    const { running, tracker, logFile } = started;
    if (running.comingAt !== undefined) tracker.coming({ host: "127.0.0.1", port: 0, path: running.comingAt });
    const stopHealth = watchHealth(
      deps,
      container,
      { running, locate: locator(container, started) },
      {
        onStarted: () => undefined,
        onReady: (ready) => {
          ahead.ready = ready;
          if (!ready || !running.address) return tracker.unready();
          tracker.ready(running.address);
          deps.onFailure(tracker.revision, undefined);
        },
        onFailure: () => undefined,
        onUnhealthy: () => running.signal("SIGKILL"),
      },
    );
    const cancel = deps.clock.after(options.unboundMs, () => void discard(ahead, uid));
    const release = (): void => {
      stopHealth();
      cancel();
      waiting.instances.delete(ahead);
      forget(uid);
    };
    const ahead: Ahead = { ...started, ready: false, release };
    waiting.instances.add(ahead);
    void running.exited.then((exit) => {
      tracker.gone();
      if (!waiting.instances.has(ahead)) return;
      release();
      started.dispose();
      void started.network?.close();
      void logFile.close();
      const why = exit.cause?.message ?? `exit code ${exit.exitCode}: ${logFile.tail(5)}`;
      deps.onFailure(tracker.revision, why);
    });
  }

  async function discard(ahead: Ahead, uid: string): Promise<void> {
    if (!byRevision.get(uid)?.instances.has(ahead)) return;
    ahead.release();
    ahead.tracker.draining();
    await deps.beforeTerminate(ahead.tracker.id);
    await terminate(ahead.running, { graceMs: 5_000 }, deps.clock);
    await ahead.network?.close();
    ahead.dispose();
    await ahead.logFile.close();
    await rm(ahead.logFile.path(), { force: true });
  }

  return {
    startAhead(request) {
      const uid = request.template.metadata?.labels?.[revisionUidLabel];
      const container = servingContainer(request.template.spec?.containers ?? []);
      if (closed || uid === undefined || !container || !canRunAhead(request.template)) return false;
      const waiting = byRevision.get(uid);
      const unbound = waiting ? waiting.starting + waiting.instances.size - waiting.claimants.length : 0;
      const have = deps.bound(uid) + unbound;
      // A long queue can ask for hundreds at once: no more than the pods that will come for them find room.
      const most = Math.min(request.count, have + options.maxPods - deps.podCount() - countUnbound());
      for (let n = have; n < most; n++) void startOne(request, container, uid);
      return unbound > 0 || most > have;
    },
    isBusy() {
      let underWay = 0;
      for (const { starting, instances } of byRevision.values()) {
        underWay += starting;
        for (const { ready } of instances) if (!ready) underWay += 1;
      }
      return underWay > options.processors;
    },
    adopt(pod) {
      const uid = pod.metadata.labels?.[revisionUidLabel];
      const waiting = uid === undefined ? undefined : byRevision.get(uid);
      if (!waiting) return Promise.resolve(undefined);
      // The ready ones first: their pods become ready with the first status.
      const ahead = [...waiting.instances].find((one) => one.ready) ?? [...waiting.instances][0];
      ahead?.release();
      if (ahead || waiting.claimants.length >= waiting.starting) return Promise.resolve(ahead);
      return new Promise((resolve) => waiting.claimants.push(resolve));
    },
    async close() {
      closed = true;
      const all = [...byRevision.entries()].flatMap(([uid, { instances }]) =>
        [...instances].map((one) => ({ uid, one })),
      );
      await Promise.all(all.map(({ uid, one }) => discard(one, uid)));
    },
  };
}

/**
 * Only instances that are alike for every pod of the revision: one container, nothing that names the pod, no volumes,
 * no init containers. The rest start with their pods.
 */
function canRunAhead(template: PodTemplateSpec): boolean {
  const spec = template.spec;
  if (!spec || spec.containers.length !== 1 || (spec.initContainers?.length ?? 0) > 0) return false;
  const [container] = spec.containers;
  const perPod = container?.env?.some((variable) => variable.valueFrom?.fieldRef !== undefined) ?? false;
  return !perPod && (container?.volumeMounts?.length ?? 0) === 0 && container?.lifecycle === undefined;
}

async function launch(
  deps: AheadDeps,
  options: AheadOptions,
  request: StartAhead,
  container: Container,
): Promise<Omit<Ahead, "ready" | "release"> | undefined> {
  const { template, namespace, revision } = request;
  if (!template.spec) return undefined;
  const like: Pod = { metadata: { name: "", ...template.metadata, namespace }, spec: template.spec };
  const resolved = resolveEnv(like, container, deps.env, { podIP: "", hostIP: options.hostIP });
  // The pod's own start will say what is missing, in its status.
  if (resolved.kind === "missing") return undefined;
  const network = await deps.runtime.prepare(template.spec, () => undefined, namespace);
  const id = deps.newId();
  const logFile = createLogFile(
    { now: () => deps.clock.now(), log: deps.log },
    join(options.logDir, "ahead", `${id}.log`),
  );
  const dir = join(options.runDir, id);
  const start = makeContainerStart(template.spec, container, {
    id,
    title: `${revision}/${container.name}`,
    env: { HOSTNAME: `${revision.slice(revision.indexOf("/") + 1)}-${id}`, ...resolved.env },
    serving: true,
    network,
    mounts: [],
    dir,
    output: logFile.sink,
  });
  const running = await deps.runtime.start(start).catch(async (error: unknown) => {
    await network?.close();
    throw error;
  });
  const dispose = (): void => void rm(dir, { recursive: true, force: true }).catch(() => undefined);
  return {
    running,
    logFile,
    dispose,
    network,
    tracker: deps.hub.track({ id, revision, protocol: protocolOf(container) }),
  };
}

function locator(container: Container, { running, network }: Pick<AheadOfPod, "running" | "network">) {
  const serving = servingPort(container);
  return (port: number | string) =>
    port === 0 || port === serving?.containerPort || port === serving?.name
      ? running.address
      : (network?.address(Number(port)) ?? { host: "127.0.0.1", port: Number(port) });
}

export type { InstanceTracker };
