import type { ConfigMap, Container, EnvVar, Pod, Secret, Service } from "../../api/core/types.gen.ts";
import { expand } from "./expand.ts";
import { fieldValue, type PodPlace } from "./field-ref.ts";
import { resourceValue, type Allocatable } from "./resource-ref.ts";
import { serviceEnv } from "./service-env.ts";

/** Where values come from; reads must be current and synchronous. */
export interface EnvSources {
  configMap(namespace: string, name: string): ConfigMap | undefined;
  secret(namespace: string, name: string): Secret | undefined;
  services(namespace: string): readonly Service[];
  readonly allocatable: Allocatable;
}

export type ResolvedEnv =
  | { readonly kind: "resolved"; readonly env: Readonly<Record<string, string>>; readonly skipped: readonly string[] }
  /** The container cannot be started until this is mended: CreateContainerConfigError. */
  | { readonly kind: "missing"; readonly message: string };

class Missing extends Error {}

/**
 * A container's environment. Later wins: service variables, envFrom in order, env in order; `$(NAME)` sees everything
 * before it. Optional references that lead nowhere are skipped.
 */
export function resolveEnv(pod: Pod, container: Container, sources: EnvSources, place: PodPlace): ResolvedEnv {
  const namespace = pod.metadata.namespace ?? "";
  const skipped: string[] = [];
  const env: Record<string, string> = servicesFor(pod, namespace, sources);
  try {
    for (const from of container.envFrom ?? []) {
      for (const [key, value] of Object.entries(envFromValues(from, namespace, sources))) {
        const name = `${from.prefix ?? ""}${key}`;
        if (isEnvName(name)) env[name] = value;
        else skipped.push(name);
      }
    }
    for (const variable of container.env ?? []) {
      const value =
        variable.valueFrom === undefined
          ? expand(variable.value ?? "", (name) => env[name])
          : valueFrom(variable, { pod, container, sources, place, namespace });
      if (value !== undefined) env[variable.name] = value;
    }
  } catch (error) {
    if (error instanceof Missing) return { kind: "missing", message: error.message };
    throw error;
  }
  return { kind: "resolved", env, skipped };
}

/** enableServiceLinks (default true) brings every service of the namespace; the API's own is always there. */
function servicesFor(pod: Pod, namespace: string, sources: EnvSources): Record<string, string> {
  const api = sources.services("default").filter((service) => service.metadata.name === "kubernetes");
  if (pod.spec.enableServiceLinks === false) return serviceEnv(api);
  return serviceEnv([...api, ...sources.services(namespace)]);
}

function envFromValues(
  from: NonNullable<Container["envFrom"]>[number],
  namespace: string,
  sources: EnvSources,
): Readonly<Record<string, string>> {
  if (from.configMapRef) {
    const { name = "", optional } = from.configMapRef;
    const found = sources.configMap(namespace, name);
    if (!found && optional !== true) throw new Missing(`configmap "${name}" not found`);
    return found?.data ?? {};
  }
  if (from.secretRef) {
    const { name = "", optional } = from.secretRef;
    const found = sources.secret(namespace, name);
    if (!found && optional !== true) throw new Missing(`secret "${name}" not found`);
    return Object.fromEntries(Object.entries(found?.data ?? {}).map(([key, value]) => [key, decode(value)]));
  }
  return {};
}

interface ValueContext {
  readonly pod: Pod;
  readonly container: Container;
  readonly sources: EnvSources;
  readonly place: PodPlace;
  readonly namespace: string;
}

function valueFrom(variable: EnvVar, context: ValueContext): string | undefined {
  const { pod, container, sources, place, namespace } = context;
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef } = variable.valueFrom ?? {};
  if (fieldRef) {
    const value = fieldValue(pod, fieldRef.fieldPath, place);
    if (value === undefined) throw new Missing(`env ${variable.name}: unsupported fieldPath: ${fieldRef.fieldPath}`);
    return value;
  }
  if (resourceFieldRef) {
    const value = resourceValue(pod, container.name, resourceFieldRef, sources.allocatable);
    if (value === undefined) {
      throw new Missing(`env ${variable.name}: unsupported container resource: ${resourceFieldRef.resource}`);
    }
    return value;
  }
  if (configMapKeyRef) {
    const { name = "", key, optional } = configMapKeyRef;
    const found = sources.configMap(namespace, name);
    return keyOf(
      { what: "configmap", missing: "ConfigMap", name, key, optional, namespace },
      found,
      found?.data?.[key],
    );
  }
  if (secretKeyRef) {
    const { name = "", key, optional } = secretKeyRef;
    const found = sources.secret(namespace, name);
    const value = found?.data?.[key];
    return keyOf(
      { what: "secret", missing: "Secret", name, key, optional, namespace },
      found,
      value === undefined ? undefined : decode(value),
    );
  }
  throw new Missing(`env ${variable.name}: valueFrom names no source that this node knows`);
}

interface KeyReference {
  readonly what: string;
  readonly missing: string;
  readonly name: string;
  readonly key: string;
  readonly optional: boolean | undefined;
  readonly namespace: string;
}

function keyOf(ref: KeyReference, object: unknown, value: string | undefined): string | undefined {
  if (value !== undefined || ref.optional === true) return value;
  if (object === undefined) throw new Missing(`${ref.what} "${ref.name}" not found`);
  throw new Missing(`couldn't find key ${ref.key} in ${ref.missing} ${ref.namespace}/${ref.name}`);
}

const decode = (base64: string): string => Buffer.from(base64, "base64").toString("utf8");

/** Any printable ASCII but `=` (relaxed in Kubernetes 1.34). */
const isEnvName = (name: string): boolean => /^[ -<>-~]+$/.test(name);
