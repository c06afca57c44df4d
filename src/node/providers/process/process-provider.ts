import type { Pod, PodStatus } from "../../../api/core/types.gen.ts";
import type { Clock } from "../../../client/clock.ts";
import type { Logger } from "../../../telemetry/logger.ts";
import type { EnvSources } from "../../env/container-env.ts";
import { createAheadStarter, type StartAhead } from "../../instances/ahead.ts";
import type { InstanceHub } from "../../instances/instance-hub.ts";
import { PodRunner, type PodRunnerDeps } from "../../pod/pod-runner.ts";
import { revisionUidLabel } from "../../pod/serving.ts";
import type { Provider } from "../../provider.ts";
import type { ContainerRuntime } from "../../runtime.ts";
import { openPortRelay } from "./port-relay.ts";
import type { PodIps } from "./pod-ips.ts";

export interface ProcessProviderDeps {
  readonly runtime: ContainerRuntime;
  readonly clock: Clock;
  readonly log: Logger;
  readonly env: EnvSources;
  readonly hub: InstanceHub;
  readonly volumes: PodRunnerDeps["volumes"];
  readonly ips: PodIps;
  readonly event: PodRunnerDeps["event"];
  readonly beforeTerminate: (instanceId: string) => Promise<void>;
  readonly onFailure: (revision: string, reason: string | undefined) => void;
  readonly newId: () => string;
}

export interface ProcessProviderOptions {
  readonly runDir: string;
  readonly logDir: string;
  readonly hostIP: string;
  /** Instances started ahead that no pod took are stopped after this. */
  readonly unboundMs: number;
  /** Pods this node takes. */
  readonly maxPods: number;
  /** Processors of this machine. */
  readonly processors: number;
}

export interface ProcessProvider extends Provider {
  startAhead(request: StartAhead): boolean;
  /** More instances are on their way to serving than there are processors. */
  isBusy(): boolean;
  /** Brings what volumes show up to date with the API. */
  refreshVolumes(): Promise<void>;
  runner(uid: string): PodRunner | undefined;
  runners(): readonly { readonly pod: Pod; readonly runner: PodRunner }[];
}

interface Entry {
  pod: Pod;
  readonly runner: PodRunner;
  readonly podIP: string;
  /** It takes no requests any more: demand must not count on it. */
  ending: boolean;
}

/** When ebb itself ends, pods get no more than this: someone is waiting for the prompt. */
const closeGraceMs = 10_000;

/** Runs pods as processes of this machine. */
export function createProcessProvider(deps: ProcessProviderDeps, options: ProcessProviderOptions): ProcessProvider {
  const entries = new Map<string, Entry>();
  let tell: (pod: Pod, status: PodStatus) => void = () => undefined;

  const bound = (revisionUid: string): number => {
    let count = 0;
    for (const { pod, ending } of entries.values()) {
      if (!ending && pod.metadata.labels?.[revisionUidLabel] === revisionUid) count += 1;
    }
    return count;
  };
  const ahead = createAheadStarter({ ...deps, bound, podCount: () => entries.size }, options);

  function add(uid: string, pod: Pod): void {
    const podIP = deps.ips.take(pod.status?.podIP);
    const runner: PodRunner = new PodRunner(
      {
        ...deps,
        adopt: (of) => ahead.adopt(of),
        relay: (listen, target) => openPortRelay(deps, listen, target).close,
        onStatus: (status) => tell(entries.get(uid)?.pod ?? pod, status),
      },
      { ...options, podIP },
      pod,
    );
    entries.set(uid, { pod, runner, podIP, ending: false });
    runner.start();
  }

  async function end(uid: string, graceMs: number, remove: boolean): Promise<void> {
    const entry = entries.get(uid);
    if (!entry) return;
    entry.ending = true;
    await entry.runner.stop(graceMs);
    if (entries.get(uid) !== entry) return;
    tell(entry.pod, entry.runner.status());
    entries.delete(uid);
    if (remove) await entry.runner.remove();
    deps.ips.release(entry.podIP);
  }

  return {
    name: "process",
    setPod(pod) {
      const uid = pod.metadata.uid ?? "";
      const entry = entries.get(uid);
      if (!entry) return add(uid, pod);
      entry.pod = pod;
      entry.runner.update(pod);
    },
    deletePod: (uid, graceMs) => end(uid, graceMs, true),
    pods: () => [...entries.keys()],
    onStatus(listener) {
      tell = listener;
    },
    startAhead: (request) => ahead.startAhead(request),
    isBusy: () => ahead.isBusy(),
    async refreshVolumes() {
      for (const { runner } of entries.values()) await runner.refreshVolumes();
    },
    runner: (uid) => entries.get(uid)?.runner,
    runners: () => [...entries.values()],
    async close() {
      await Promise.all([
        ahead.close(),
        ...[...entries].map(([uid, { pod }]) => {
          const graceMs = (pod.spec.terminationGracePeriodSeconds ?? 30) * 1000;
          return end(uid, Math.min(graceMs, closeGraceMs), false);
        }),
      ]);
    },
  };
}
