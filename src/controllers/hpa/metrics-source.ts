/** Where the HPA gets its numbers: in process what metrics.k8s.io and external.metrics.k8s.io are over HTTP. */
export interface MetricsSource {
  /** The last measurement of a pod; undefined before there is one. `key` is `namespace/name`. */
  podUsage(key: string): PodUsageSample | undefined;
  /** Values of an external metric, in thousandths. Absent: there are none. Throws with a message for users. */
  readonly external?: (query: ExternalMetricQuery) => Promise<readonly number[]>;
}

export interface PodUsageSample {
  /** When the measurement ended, and over how long it was taken. */
  readonly timestampMs: number;
  readonly windowMs: number;
  readonly containers: readonly ContainerSample[];
}

export interface ContainerSample {
  readonly name: string;
  readonly cpuMillis: number;
  readonly memoryBytes: number;
}

export interface ExternalMetricQuery {
  readonly namespace: string;
  readonly name: string;
  /** Label selector in its text form; empty for none. */
  readonly selector: string;
}
