import type { FunctionModel } from "../hosts/protocol.ts";
import type { SourceEnv, SourceSettings } from "../build/source-settings.ts";

/** All that makes a function's Service; see {@link mergeSettings} for where it comes from. */
export interface FunctionSettings extends SourceSettings {
  /** Longest request. */
  readonly timeoutSeconds?: number;
  /** Where the program listens when it cannot read PORT. */
  readonly port?: number;
}

export interface FunctionManifest extends FunctionSettings {
  readonly name: string;
  readonly namespace: string;
  readonly image: string;
}

type Json = Readonly<Record<string, unknown>>;

/** The Knative Service of a function, holding only what the person asked for: the server fills in the rest. */
export function makeFunctionService(wanted: FunctionManifest): Json {
  const annotations = splitAnnotations(wanted.annotations ?? {});
  const scaling = { ...annotations.template, ...scalingAnnotations(wanted) };
  const labels = wanted.labels && Object.keys(wanted.labels).length > 0 ? { labels: wanted.labels } : {};
  const template = { ...labels, ...unlessEmpty("annotations", scaling) };
  return {
    apiVersion: "serving.knative.dev/v1",
    kind: "Service",
    metadata: {
      name: wanted.name,
      namespace: wanted.namespace,
      ...labels,
      ...unlessEmpty("annotations", annotations.service),
    },
    spec: { template: { ...unlessEmpty("metadata", template), spec: podSpec(wanted) } },
  };
}

/**
 * What a model asks of its Service where nobody else says: a Lambda function is given one call at a time, or as many as it
 * says itself, so that the router starts instances for more.
 */
export function settingsOfModel(model: FunctionModel, settings: FunctionSettings): FunctionSettings {
  if (model !== "lambda" && model !== "lambda-runtime") return {};
  const said = settings.env?.find((env) => env.name === "AWS_LAMBDA_MAX_CONCURRENCY");
  const concurrency = said && "value" in said ? Number(said.value) : 1;
  return Number.isInteger(concurrency) && concurrency > 0 ? { concurrency } : {};
}

/** Flags over what files say: single values replace, variables, labels and annotations are merged by name. */
export function mergeSettings(files: FunctionSettings, flags: FunctionSettings): FunctionSettings {
  const byName = new Map<string, SourceEnv>();
  for (const env of [...(files.env ?? []), ...(flags.env ?? [])]) byName.set(env.name, env);
  return {
    ...files,
    ...flags,
    ...unlessEmpty("env", [...byName.values()]),
    ...unlessEmpty("labels", { ...files.labels, ...flags.labels }),
    ...unlessEmpty("annotations", { ...files.annotations, ...flags.annotations }),
    ...unlessEmpty("limits", { ...files.limits, ...flags.limits }),
  };
}

/** Secrets that have to exist before the function can start, with the keys it reads. */
export function secretsOf(settings: FunctionSettings): ReadonlyMap<string, readonly string[]> {
  const secrets = new Map<string, readonly string[]>();
  for (const env of settings.env ?? [])
    if ("valueFrom" in env && "secretKeyRef" in env.valueFrom) {
      const { name, key } = env.valueFrom.secretKeyRef;
      secrets.set(name, [...(secrets.get(name) ?? []), key]);
    }
  for (const from of settings.envFrom ?? [])
    if ("secretRef" in from) secrets.set(from.secretRef.name, secrets.get(from.secretRef.name) ?? []);
  return secrets;
}

function podSpec(wanted: FunctionManifest): Json {
  const volumes = (wanted.volumes ?? []).map(({ source }, i) => ({ name: `volume-${i}`, ...source }));
  const mounts = (wanted.volumes ?? []).map(({ path }, i) => ({ name: `volume-${i}`, mountPath: path }));
  const resources = { ...unlessEmpty("requests", wanted.requests), ...unlessEmpty("limits", wanted.limits) };
  const container = {
    name: "user-container",
    image: wanted.image,
    ...unlessEmpty("env", wanted.env),
    ...unlessEmpty("envFrom", wanted.envFrom),
    ...unlessEmpty("resources", resources),
    ...unlessEmpty("volumeMounts", mounts),
    ...(wanted.port === undefined ? {} : { ports: [{ containerPort: wanted.port }] }),
    ...(wanted.liveness === undefined ? {} : { livenessProbe: { httpGet: { path: wanted.liveness } } }),
    ...(wanted.readiness === undefined ? {} : { readinessProbe: { httpGet: { path: wanted.readiness } } }),
  };
  return {
    containers: [container],
    ...unlessEmpty("volumes", volumes),
    ...(wanted.serviceAccountName === undefined ? {} : { serviceAccountName: wanted.serviceAccountName }),
    ...(wanted.imagePullSecret === undefined ? {} : { imagePullSecrets: [{ name: wanted.imagePullSecret }] }),
    ...(wanted.concurrency === undefined ? {} : { containerConcurrency: wanted.concurrency }),
    ...(wanted.timeoutSeconds === undefined ? {} : { timeoutSeconds: wanted.timeoutSeconds }),
  };
}

function scalingAnnotations(wanted: FunctionSettings): Readonly<Record<string, string>> {
  const { minScale, maxScale, metric, target, utilization } = wanted;
  const values = {
    "min-scale": minScale,
    "max-scale": maxScale,
    metric,
    target,
    "target-utilization-percentage": utilization,
  };
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) =>
      value === undefined ? [] : [[`autoscaling.knative.dev/${name}`, String(value)]],
    ),
  );
}

/**
 * Knative reads an annotation in one place only: what concerns scaling, features and the client in the template,
 * roll-out, networking and ownership on the Service. Anybody else's go to both.
 */
function splitAnnotations(all: Readonly<Record<string, string>>) {
  const service: Record<string, string> = {};
  const template: Record<string, string> = {};
  for (const [name, value] of Object.entries(all)) {
    const domain = name.split("/")[0] ?? "";
    if (!/^(autoscaling|features|client|queue\.sidecar\.serving)\.knative\.dev$/.test(domain)) service[name] = value;
    if (!/^(serving|networking)\.knative\.dev$/.test(domain)) template[name] = value;
  }
  return { service, template };
}

/** The property only when there is something in it. */
function unlessEmpty<K extends string, V extends object>(key: K, value: V | undefined): { readonly [P in K]?: V } {
  const filled = value !== undefined && Object.keys(value).length > 0;
  return (filled ? { [key]: value } : {}) as { readonly [P in K]?: V };
}
