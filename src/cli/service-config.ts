import { ConfigMapKind, SecretKind } from "../api/core/kinds.ts";
import type { ConfigMap, Secret } from "../api/core/types.gen.ts";
import { isApiError, isNotFound } from "../api/meta/errors.ts";
import type { Service } from "../api/serving/types.gen.ts";
import type { HttpClient } from "../client/http-client.ts";

/** A ConfigMap or Secret that a Service reads. */
export interface ConfigReference {
  readonly kind: "ConfigMap" | "Secret";
  readonly name: string;
}

export const referenceText = ({ kind, name }: ConfigReference): string => `${kind} ${name}`;

/** Every ConfigMap and Secret that the containers and volumes of a Service name, each once. */
export function configReferences({ spec }: Service): readonly ConfigReference[] {
  const { containers, initContainers = [], volumes = [] } = spec.template.spec;
  const all = [
    ...[...containers, ...initContainers].flatMap((container) => [
      ...(container.env ?? []).flatMap(({ valueFrom }) =>
        named(valueFrom?.configMapKeyRef?.name, valueFrom?.secretKeyRef?.name),
      ),
      ...(container.envFrom ?? []).flatMap((from) => named(from.configMapRef?.name, from.secretRef?.name)),
    ]),
    ...volumes.flatMap((volume) => [
      ...named(volume.configMap?.name, volume.secret?.secretName),
      ...(volume.projected?.sources ?? []).flatMap((source) => named(source.configMap?.name, source.secret?.name)),
    ]),
  ];
  return [...new Map(all.map((one) => [`${one.kind}/${one.name}`, one] as const)).values()];
}

const named = (configMap: string | undefined, secret: string | undefined): readonly ConfigReference[] => [
  ...(configMap ? [{ kind: "ConfigMap", name: configMap } as const] : []),
  ...(secret ? [{ kind: "Secret", name: secret } as const] : []),
];

/** The objects by `Kind/name`; those that are not there are left out. Other failures are thrown. */
export async function readConfigObjects(
  client: HttpClient,
  namespace: string,
  references: readonly ConfigReference[],
): Promise<ReadonlyMap<string, ConfigMap | Secret>> {
  const found = new Map<string, ConfigMap | Secret>();
  await Promise.all(
    references.map(async ({ kind, name }) => {
      try {
        const key = { namespace, name };
        found.set(
          `${kind}/${name}`,
          kind === "Secret" ? await client.get(SecretKind, key) : await client.get(ConfigMapKind, key),
        );
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    }),
  );
  return found;
}

/** A variable as a Service of a home would get it. */
export interface ResolvedVariable {
  readonly name: string;
  readonly value: string;
  /** `Secret db, key url`; undefined for a value in the Service itself. */
  readonly from?: string;
}

export interface ServiceVariables {
  readonly variables: readonly ResolvedVariable[];
  /** What could not be had, and why, one line each. */
  readonly missing: readonly string[];
}

/**
 * The variables of a Service's first container as its instances see them: envFrom first, env over it, a later one of a
 * name over an earlier one. `$(NAME)` in values stands for variables before it, as the kubelet expands them.
 */
export async function serviceVariables(client: HttpClient, service: Service): Promise<ServiceVariables> {
  const [container] = service.spec.template.spec.containers;
  const collected: Collected = { objects: new Map(), variables: new Map(), missing: new Set() };
  await readAll(client, service, collected);
  for (const from of container?.envFrom ?? []) addAll(collected, from);
  for (const variable of container?.env ?? []) addOne(collected, variable);
  return { variables: [...collected.variables.values()], missing: [...collected.missing] };
}

type Container = Service["spec"]["template"]["spec"]["containers"][number];

interface Collected {
  readonly objects: Map<string, ConfigMap | Secret>;
  readonly variables: Map<string, ResolvedVariable>;
  readonly missing: Set<string>;
}

async function readAll(client: HttpClient, service: Service, { objects, missing }: Collected): Promise<void> {
  const { namespace = "default" } = service.metadata;
  for (const reference of configReferences(service))
    try {
      for (const [key, object] of await readConfigObjects(client, namespace, [reference])) objects.set(key, object);
    } catch (error) {
      if (!isApiError(error) || error.code !== 403) throw error;
      missing.add(`${referenceText(reference)}: you may not read it`);
    }
}

function addAll(to: Collected, from: NonNullable<Container["envFrom"]>[number]): void {
  const { prefix = "", configMapRef, secretRef } = from;
  const kind = configMapRef ? "ConfigMap" : "Secret";
  const { name = "", optional } = configMapRef ?? secretRef ?? {};
  const object = to.objects.get(`${kind}/${name}`);
  if (!object && optional !== true) to.missing.add(`${kind} ${name}: it is not there`);
  for (const key of Object.keys(object?.data ?? {})) {
    const value = valueOf(object, kind, key);
    const full = prefix + key;
    if (value !== undefined) to.variables.set(full, { name: full, value, from: `${kind} ${name}, key ${key}` });
  }
}

function addOne(to: Collected, { name, value, valueFrom }: NonNullable<Container["env"]>[number]): void {
  if (!valueFrom) {
    to.variables.set(name, { name, value: expand(value ?? "", to.variables) });
    return;
  }
  const kind = valueFrom.configMapKeyRef ? "ConfigMap" : "Secret";
  const ref = valueFrom.configMapKeyRef ?? valueFrom.secretKeyRef;
  if (!ref) {
    to.missing.add(`${name}: it comes from the pod or its resources, which there are only there`);
    return;
  }
  const found = valueOf(to.objects.get(`${kind}/${ref.name}`), kind, ref.key);
  const from = `${kind} ${ref.name}, key ${ref.key}`;
  if (found !== undefined) to.variables.set(name, { name, value: found, from });
  else if (ref.optional !== true) to.missing.add(`${name}: ${from} is not there`);
}

function valueOf(object: ConfigMap | Secret | undefined, kind: string, key: string): string | undefined {
  const text = object?.data?.[key];
  if (text === undefined) return undefined;
  return kind === "Secret" ? Buffer.from(text, "base64").toString("utf8") : text;
}

/** `$(NAME)`, with `$$` for a dollar sign; a name nobody knows stays as it is (third_party/forked/golang/expansion). */
function expand(text: string, known: ReadonlyMap<string, ResolvedVariable>): string {
  return text.replaceAll(/\$\$|\$\(([^)]*)\)/g, (all, name: string | undefined) =>
    all === "$$" ? "$" : (known.get(name ?? "")?.value ?? all),
  );
}
