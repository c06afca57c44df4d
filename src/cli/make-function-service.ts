/** Per-function settings of `ebb deploy`. */
export interface FunctionSettings {
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly minScale?: number;
  readonly maxScale?: number;
  /** Requests at once per instance; 0 is unlimited. */
  readonly concurrency?: number;
  readonly timeoutSeconds?: number;
  readonly port?: number;
}

export interface FunctionManifest extends FunctionSettings {
  readonly name: string;
  readonly namespace: string;
  readonly image: string;
}

/** The Knative Service of a function, holding only what the person asked for: the server fills in the rest. */
export function makeFunctionService(wanted: FunctionManifest): Readonly<Record<string, unknown>> {
  const annotations: Record<string, string> = {};
  if (wanted.minScale !== undefined) annotations["autoscaling.knative.dev/min-scale"] = String(wanted.minScale);
  if (wanted.maxScale !== undefined) annotations["autoscaling.knative.dev/max-scale"] = String(wanted.maxScale);
  const container = {
    name: "user-container",
    image: wanted.image,
    ...(wanted.env.length > 0 ? { env: wanted.env } : {}),
    ...(wanted.port === undefined ? {} : { ports: [{ containerPort: wanted.port }] }),
  };
  return {
    apiVersion: "serving.knative.dev/v1",
    kind: "Service",
    metadata: { name: wanted.name, namespace: wanted.namespace },
    spec: {
      template: {
        ...(Object.keys(annotations).length > 0 ? { metadata: { annotations } } : {}),
        spec: {
          containers: [container],
          ...(wanted.concurrency === undefined ? {} : { containerConcurrency: wanted.concurrency }),
          ...(wanted.timeoutSeconds === undefined ? {} : { timeoutSeconds: wanted.timeoutSeconds }),
        },
      },
    },
  };
}
