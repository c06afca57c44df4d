import { keyOf } from "../api/meta/object.ts";
import type { PodUsage } from "../api/node-connection.ts";
import type { MetricsSource, PodUsageSample } from "../controllers/hpa/metrics-source.ts";

/** One measurement serves everybody who asks within this time; the HPA asks every 15 s. */
const freshMs = 10_000;

/** The node agent's measurements as what HorizontalPodAutoscalers read. Measures only when asked. */
export function createNodeMetrics(usage: () => readonly PodUsage[], now: () => number): MetricsSource {
  let readMs = Number.NEGATIVE_INFINITY;
  let samples: ReadonlyMap<string, PodUsageSample> = new Map();
  const read = (): void => {
    const timestampMs = now();
    const windowMs = Math.min(timestampMs - readMs, 60_000);
    readMs = timestampMs;
    samples = new Map(
      usage().map((pod) => {
        const containers = pod.containers.map(({ name, cpuNanoCores, memoryBytes }) => ({
          name,
          cpuMillis: cpuNanoCores / 1e6,
          memoryBytes,
        }));
        return [keyOf(pod), { timestampMs, windowMs, containers }];
      }),
    );
  };
  return {
    podUsage(key) {
      if (now() - readMs >= freshMs) read();
      return samples.get(key);
    },
  };
}
