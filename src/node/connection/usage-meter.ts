import { cpus, freemem, totalmem } from "node:os";
import type { Clock } from "../../client/clock.ts";
import type { PodRunner } from "../pod/pod-runner.ts";
import type { PodUsage } from "../../api/node-connection.ts";

export interface UsageMeter {
  pods(): readonly PodUsage[];
  node(): { readonly cpuNanoCores: number; readonly memoryBytes: number };
}

interface Sample {
  readonly cpuNanoseconds: number;
  readonly atMs: number;
  readonly cpuNanoCores: number;
}

/** Rates are taken over at least this long; asking sooner gives the last rate again. */
const leastIntervalMs = 1_000;

/**
 * CPU and memory of every container, read when asked: nothing is measured while nobody looks. A rate needs two looks;
 * until the second it is the mean since the container's start.
 */
export function createUsageMeter(
  clock: Clock,
  runners: () => readonly {
    readonly pod: { readonly metadata: { readonly namespace?: string; readonly name?: string; readonly uid?: string } };
    readonly runner: PodRunner;
  }[],
): UsageMeter {
  let samples = new Map<string, Sample>();
  let node: Sample = { ...nodeCpu(), atMs: clock.now(), cpuNanoCores: 0 };

  const rate = (before: Sample | undefined, cpuNanoseconds: number, startMs: number): Sample => {
    const atMs = clock.now();
    if (before && atMs - before.atMs < leastIntervalMs) return before;
    const spanMs = atMs - (before?.atMs ?? startMs);
    const used = cpuNanoseconds - (before?.cpuNanoseconds ?? 0);
    const cpuNanoCores = spanMs <= 0 ? 0 : Math.max(0, Math.round((used / spanMs) * 1_000));
    return { cpuNanoseconds, atMs, cpuNanoCores };
  };

  return {
    pods() {
      const next = new Map<string, Sample>();
      const pods = runners().map(({ pod, runner }) => {
        const containers = runner.containers.flatMap((container) => {
          const running = container.view.state.running ? container.running : undefined;
          const used = running?.usage();
          if (!running || !used) return [];
          const sample = rate(samples.get(running.id), used.cpuNanoseconds, running.startedAtMs);
          next.set(running.id, sample);
          const { cpuNanoCores } = sample;
          return [{ name: container.view.name, cpuNanoCores, memoryBytes: used.memoryBytes }];
        });
        const { namespace = "", name = "", uid = "" } = pod.metadata;
        return { namespace, name, uid, containers };
      });
      samples = next;
      return pods.filter((pod) => pod.containers.length > 0);
    },
    node() {
      node = rate(node, nodeCpu().cpuNanoseconds, node.atMs);
      return { cpuNanoCores: node.cpuNanoCores, memoryBytes: totalmem() - freemem() };
    },
  };
}

/** Busy time of all processors since boot. */
function nodeCpu(): { readonly cpuNanoseconds: number } {
  let busyMs = 0;
  for (const { times } of cpus()) busyMs += times.user + times.nice + times.sys + times.irq;
  return { cpuNanoseconds: busyMs * 1e6 };
}
