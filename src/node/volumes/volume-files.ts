import type {
  ConfigMap,
  ConfigMapVolumeSource,
  DownwardAPIVolumeSource,
  KeyToPath,
  Pod,
  Secret,
  SecretVolumeSource,
  ServiceAccountTokenProjection,
  Volume,
  VolumeProjection,
} from "../../api/core/types.gen.ts";
import type { EnvSources } from "../env/container-env.ts";
import { fieldValue, type PodPlace } from "../env/field-ref.ts";
import { resourceValue } from "../env/resource-ref.ts";

export interface VolumeFile {
  readonly data: Uint8Array;
  /** Permission bits. */
  readonly mode: number;
}

export type VolumeFiles = ReadonlyMap<string, VolumeFile>;

/** A volume whose files cannot be made now; the message is for the pod's status. */
export class VolumeError extends Error {}

export interface VolumeContext {
  readonly pod: Pod;
  readonly place: PodPlace;
  readonly sources: EnvSources;
  /** The current token for a projection; undefined when none could be had yet. */
  readonly token: (projection: ServiceAccountTokenProjection) => string | undefined;
}

const defaultMode = 0o644;

/**
 * The files of a volume that shows objects of the API; undefined for volumes of other kinds. Throws VolumeError when
 * something needed is not there: the pod waits for it.
 */
export function volumeFiles(volume: Volume, context: VolumeContext): VolumeFiles | undefined {
  const files = new Map<string, VolumeFile>();
  const { configMap, secret, downwardAPI, projected } = volume;
  if (configMap) addConfigMap(files, configMap, configMap.defaultMode, context);
  else if (secret) addSecret(files, secret.secretName ?? "", secret, secret.defaultMode, context);
  else if (downwardAPI) addDownward(files, downwardAPI, downwardAPI.defaultMode, context);
  else if (projected)
    for (const source of projected.sources ?? []) addProjection(files, source, projected.defaultMode, context);
  else return undefined;
  return files;
}

function addProjection(
  files: Map<string, VolumeFile>,
  source: VolumeProjection,
  mode: number | undefined,
  context: VolumeContext,
): void {
  if (source.configMap) addConfigMap(files, source.configMap, mode, context);
  else if (source.secret) addSecret(files, source.secret.name ?? "", source.secret, mode, context);
  else if (source.downwardAPI) addDownward(files, source.downwardAPI, mode, context);
  else if (source.serviceAccountToken) {
    const token = context.token(source.serviceAccountToken);
    if (token === undefined) throw new VolumeError("the service account's token could not be had yet");
    // Tokens are for the container's user only, whatever the volume's mode.
    add(files, source.serviceAccountToken.path, Buffer.from(token), 0o600);
  } else throw new VolumeError(`projected source ${Object.keys(source).join(", ")} is not supported on this node`);
}

function addConfigMap(
  files: Map<string, VolumeFile>,
  source: Pick<ConfigMapVolumeSource, "name" | "items" | "optional">,
  mode: number | undefined,
  { pod, sources }: VolumeContext,
): void {
  const { name = "", items, optional } = source;
  const found = sources.configMap(pod.metadata.namespace ?? "", name);
  if (!found && optional !== true) throw new VolumeError(`configmap "${name}" not found`);
  addKeys(files, { kind: "configmap", name, data: configMapData(found), items, optional, mode });
}

function addSecret(
  files: Map<string, VolumeFile>,
  name: string,
  source: Pick<SecretVolumeSource, "items" | "optional">,
  mode: number | undefined,
  { pod, sources }: VolumeContext,
): void {
  const { items, optional } = source;
  const found = sources.secret(pod.metadata.namespace ?? "", name);
  if (!found && optional !== true) throw new VolumeError(`secret "${name}" not found`);
  addKeys(files, { kind: "secret", name, data: secretData(found), items, optional, mode });
}

function configMapData(object: ConfigMap | undefined): ReadonlyMap<string, Uint8Array> {
  const data = new Map<string, Uint8Array>();
  for (const [key, text] of Object.entries(object?.data ?? {})) data.set(key, Buffer.from(text));
  for (const [key, base64] of Object.entries(object?.binaryData ?? {})) data.set(key, Buffer.from(base64, "base64"));
  return data;
}

function secretData(object: Secret | undefined): ReadonlyMap<string, Uint8Array> {
  return new Map(Object.entries(object?.data ?? {}).map(([key, base64]) => [key, Buffer.from(base64, "base64")]));
}

interface Keys {
  readonly kind: string;
  readonly name: string;
  readonly data: ReadonlyMap<string, Uint8Array>;
  readonly items: readonly KeyToPath[] | undefined;
  readonly optional: boolean | undefined;
  readonly mode: number | undefined;
}

/** All keys under their own names, or those asked for under the paths asked for. */
function addKeys(files: Map<string, VolumeFile>, { kind, name, data, items, optional, mode }: Keys): void {
  if (items === undefined || items.length === 0) {
    for (const [key, bytes] of data) add(files, key, bytes, mode);
    return;
  }
  for (const item of items) {
    const bytes = data.get(item.key);
    if (bytes !== undefined) add(files, item.path, bytes, item.mode ?? mode);
    else if (optional !== true) throw new VolumeError(`${kind} "${name}" has no key "${item.key}"`);
  }
}

function addDownward(
  files: Map<string, VolumeFile>,
  source: Pick<DownwardAPIVolumeSource, "items">,
  mode: number | undefined,
  { pod, place, sources }: VolumeContext,
): void {
  for (const { path, fieldRef, resourceFieldRef, mode: own } of source.items ?? []) {
    const value = fieldRef
      ? fieldValue(pod, fieldRef.fieldPath, place)
      : resourceFieldRef && resourceValue(pod, "", resourceFieldRef, sources.allocatable);
    if (value === undefined) throw new VolumeError(`downward API file "${path}" names no field that a pod may ask for`);
    add(files, path, Buffer.from(value), own ?? mode);
  }
}

function add(files: Map<string, VolumeFile>, path: string, data: Uint8Array, mode: number = defaultMode): void {
  if (path === "" || path.startsWith("/") || path.split("/").includes("..")) {
    throw new VolumeError(`file path "${path}" leads out of its volume`);
  }
  files.set(path, { data, mode });
}
