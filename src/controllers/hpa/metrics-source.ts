/** Where the HPA gets its numbers: in process what metrics.k8s.io and external.metrics.k8s.io are over HTTP. */
export interface MetricsSource {
  /** The last measurement of a pod; undefined before there is one. `key` is `namespace/name`. */
  podUsage(key: string): PodUsageSample | undefined;
  /** Values of an external metric, in thousandths. Absent: there are none. Throws with a message for users. */
  readonly external?: (query: ExternalMetricQuery) => Promise<readonly number[]>;
  /**
   * A metric of objects of one resource, by their names, in thousandths. Absent: there are none. Throws with a message
   * for users.
   */
  readonly custom?: (query: CustomMetricQuery) => Promise<ReadonlyMap<string, number>>;
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

export interface CustomMetricQuery {
  readonly namespace: string;
  /** `pods`, `services.serving.knative.dev`. */
  readonly resource: string;
  /** `*`: all objects that the selector matches. */
  readonly object: string;
  /** Label selector of objects in its text form; empty for none. */
  readonly selector: string;
  readonly metric: string;
}
