/** What programs hear of a sink, in the pod templates of whoever runs them (eventing pkg/apis/sources/v1/sinkbinding_lifecycle.go). */
import type { Container, EnvVar, PodSpec, Volume } from "../core/types.gen.ts";
import type { CloudEventOverrides } from "../eventing/types-duck.gen.ts";
import { matchesLabelSelector } from "../meta/label-selector.ts";
import type { KubeObject } from "../meta/object.ts";
import type { SinkBinding } from "./types.gen.ts";

export interface Binding {
  /** As the program reaches it. */
  readonly url: string;
  readonly caCerts?: string;
  readonly overrides?: CloudEventOverrides;
  /** Secret with a token for the sink, under the key `token`. */
  readonly tokenSecret?: string;
}

/** In a binding's status: the sink as programs reach it, where that is another address than its own. */
export const programSink = "events.ebb.dev/program-sink";
/** Objects and namespaces with it, `true`, are left alone. */
export const bindingExcluded = "bindings.knative.dev/exclude";

/** Kinds whose pod templates are bound when they are written. */
export const boundWhenWritten: readonly { readonly group: string; readonly kind: string; readonly plural: string }[] = [
  { group: "apps", kind: "Deployment", plural: "deployments" },
  { group: "apps", kind: "ReplicaSet", plural: "replicasets" },
  { group: "apps", kind: "StatefulSet", plural: "statefulsets" },
  { group: "apps", kind: "DaemonSet", plural: "daemonsets" },
  { group: "batch", kind: "Job", plural: "jobs" },
  { group: "serving.knative.dev", kind: "Service", plural: "services" },
];

const names: ReadonlySet<string> = new Set(["K_SINK", "K_CE_OVERRIDES", "K_CA_CERTS"]);
const tokenVolume = "oidc-token";
const tokenFolder = "/oidc";

export type Bindable = Partial<Pick<PodSpec, "containers" | "initContainers" | "volumes">>;

/** The pod's containers with the variables set, or without them when there is no binding. */
export function bindSink<T extends Bindable>(pod: T, binding: Binding | undefined): T {
  const env = binding ? variables(binding) : [];
  const mounts = binding?.tokenSecret ? [{ name: tokenVolume, mountPath: tokenFolder, readOnly: true }] : [];
  const volumes = binding?.tokenSecret ? [volumeOf(binding.tokenSecret)] : [];
  const bind = (container: Container): Container => {
    const { env: oldEnv = [], volumeMounts = [], ...without } = container;
    const allEnv = [...oldEnv.filter(({ name }) => !names.has(name)), ...env];
    const allMounts = [...volumeMounts.filter(({ name }) => name !== tokenVolume), ...mounts];
    return {
      ...without,
      ...(allEnv.length > 0 ? { env: allEnv } : {}),
      ...(allMounts.length > 0 ? { volumeMounts: allMounts } : {}),
    };
  };
  const { volumes: oldVolumes = [], ...rest } = pod;
  const allVolumes = [...oldVolumes.filter(({ name }) => name !== tokenVolume), ...volumes];
  return {
    ...(rest as T),
    ...(pod.containers ? { containers: pod.containers.map(bind) } : {}),
    ...(pod.initContainers ? { initContainers: pod.initContainers.map(bind) } : {}),
    ...(allVolumes.length > 0 ? { volumes: allVolumes } : {}),
  };
}

function variables({ url, caCerts, overrides }: Binding): readonly EnvVar[] {
  return [
    { name: "K_SINK", value: url },
    { name: "K_CE_OVERRIDES", value: overrides ? JSON.stringify({ extensions: overrides.extensions ?? {} }) : "" },
    ...(caCerts ? [{ name: "K_CA_CERTS", value: caCerts }] : []),
  ];
}

/** With what the API server fills in, so that the object is as it was made. */
const volumeOf = (name: string): Volume => ({
  name: tokenVolume,
  projected: { sources: [{ secret: { name, items: [{ key: "token", path: "token" }] } }], defaultMode: 0o644 },
});

/** What a binding's status says of its sink; undefined while it has none. */
export function bindingOf({ spec, status }: SinkBinding): Binding | undefined {
  const url = status?.annotations?.[programSink] ?? status?.sinkUri;
  if (!url) return undefined;
  const { ceOverrides } = spec;
  return {
    url,
    ...(status?.sinkCACerts ? { caCerts: status.sinkCACerts } : {}),
    ...(ceOverrides ? { overrides: ceOverrides } : {}),
    ...(status?.oidcTokenSecretName ? { tokenSecret: status.oidcTokenSecretName } : {}),
  };
}

export function isSubject(
  { spec }: SinkBinding,
  of: { readonly group: string; readonly kind: string },
  object: KubeObject,
): boolean {
  const { apiVersion = "", kind, name, selector } = spec.subject;
  const group = apiVersion.includes("/") ? (apiVersion.split("/")[0] ?? "") : "";
  if (kind !== of.kind || group !== of.group) return false;
  const { labels = {} } = object.metadata;
  if (labels[bindingExcluded] === "true") return false;
  if (name) return object.metadata.name === name;
  return selector !== undefined && matchesLabelSelector(selector, labels);
}

interface PodSpecable extends KubeObject {
  readonly spec?: { readonly template?: { readonly spec?: PodSpec } };
}

/** The object with its sink, when one of these bindings of its namespace is for it; else the object itself. */
export function bindObject<T extends KubeObject>(
  object: T,
  of: { readonly group: string; readonly kind: string },
  bindings: readonly SinkBinding[],
): T {
  const { spec } = object as PodSpecable;
  const pod = spec?.template?.spec;
  if (!pod) return object;
  const found = bindings.find((binding) => !binding.metadata.deletionTimestamp && isSubject(binding, of, object));
  const binding = found && bindingOf(found);
  if (!binding) return object;
  return { ...object, spec: { ...spec, template: { ...spec.template, spec: bindSink(pod, binding) } } };
}
