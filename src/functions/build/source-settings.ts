/** Environment variable of a Service's container, in Kubernetes' shape. */
export type SourceEnv =
  | { readonly name: string; readonly value: string }
  | { readonly name: string; readonly valueFrom: EnvKeyRef };

export type EnvKeyRef =
  | { readonly secretKeyRef: { readonly name: string; readonly key: string } }
  | { readonly configMapKeyRef: { readonly name: string; readonly key: string } };

/** Every key of a Secret or ConfigMap as environment. */
export type SourceEnvFrom =
  | { readonly secretRef: { readonly name: string } }
  | { readonly configMapRef: { readonly name: string } };

/** Mounted at `path`; the rest is a Pod volume's source in Kubernetes' shape. */
export interface SourceVolume {
  readonly path: string;
  readonly source:
    | { readonly secret: { readonly secretName: string } }
    | { readonly configMap: { readonly name: string } }
    | { readonly persistentVolumeClaim: { readonly claimName: string; readonly readOnly?: boolean } }
    | { readonly emptyDir: { readonly medium?: string; readonly sizeLimit?: string } };
}

/** A Trigger: events of broker `source` whose attributes match. */
export interface SourceSubscription {
  readonly source: string;
  readonly filters: Readonly<Record<string, string>>;
}

/** What a function's own files (func.yaml) ask of its Service. Flags of `ebb deploy` win over these. */
export interface SourceSettings {
  readonly namespace?: string;
  readonly env?: readonly SourceEnv[];
  readonly envFrom?: readonly SourceEnvFrom[];
  readonly volumes?: readonly SourceVolume[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly minScale?: number;
  readonly maxScale?: number;
  /** What the autoscaler counts. */
  readonly metric?: "concurrency" | "rps";
  /** Of the metric, per instance. */
  readonly target?: number;
  /** Percent of the target at which another instance is added. */
  readonly utilization?: number;
  /** Requests one instance takes at once; 0 is no limit. */
  readonly concurrency?: number;
  /** Kubernetes quantities. */
  readonly requests?: { readonly cpu?: string; readonly memory?: string };
  readonly limits?: { readonly cpu?: string; readonly memory?: string };
  readonly serviceAccountName?: string;
  readonly imagePullSecret?: string;
  /** Paths asked by probes. */
  readonly liveness?: string;
  readonly readiness?: string;
  readonly subscriptions?: readonly SourceSubscription[];
}
