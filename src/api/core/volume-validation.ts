/** Checks of volumes and their mounts (Kubernetes pkg/apis/core/validation, ValidateVolumes and ValidateVolumeMounts). */
import { checkOneOf, complaints, eachItem, requireText } from "../meta/field-checks.ts";
import { fieldError, type FieldError } from "../meta/field-error.ts";
import { checkConfigMapKey, checkDnsLabel, checkDnsSubdomain } from "../meta/names.ts";
import { validateQuantity } from "./resource-validation.ts";
import { validateFieldRef, validateResourceFieldRef } from "./env-validation.ts";
import type {
  Container,
  DownwardAPIVolumeFile,
  KeyToPath,
  ServiceAccountTokenProjection,
  Volume,
  VolumeMount,
  VolumeProjection,
} from "./types.gen.ts";

const hostPathTypes = [
  "",
  "BlockDevice",
  "CharDevice",
  "Directory",
  "DirectoryOrCreate",
  "File",
  "FileOrCreate",
  "Socket",
];
const minTokenSeconds = 600;
const maxTokenSeconds = 2 ** 32;
const modeText = "must be a number between 0 and 0777 (octal), both inclusive";

export function validateVolumes(volumes: readonly Volume[] | undefined, field: string): readonly FieldError[] {
  const names = new Set<string>();
  return eachItem(field, volumes, (volume, at) => {
    const errors = [...sourceErrors(volume, at), ...requireText(`${at}.name`, volume.name, checkDnsLabel)];
    if (volume.name && names.has(volume.name)) errors.push(fieldError.duplicate(`${at}.name`, volume.name));
    names.add(volume.name);
    return errors;
  });
}

function sourceErrors(volume: Volume, field: string): FieldError[] {
  const [first, ...rest] = Object.keys(volume).filter((key) => key !== "name");
  if (first === undefined) return [fieldError.required(field, "must specify a volume type")];
  return [
    ...knownSourceErrors(volume, field),
    ...rest.map((key) => fieldError.forbidden(`${field}.${key}`, "may not specify more than 1 volume type")),
  ];
}

function knownSourceErrors(volume: Volume, field: string): readonly FieldError[] {
  const { emptyDir, hostPath, secret, configMap, downwardAPI, projected, image, persistentVolumeClaim } = volume;
  if (emptyDir) return sizeErrors(emptyDir.sizeLimit, `${field}.emptyDir.sizeLimit`);
  if (hostPath)
    return [
      ...requireText(`${field}.hostPath.path`, hostPath.path, noBacksteps),
      ...checkOneOf(`${field}.hostPath.type`, hostPath.type, hostPathTypes),
    ];
  if (secret)
    return [
      ...requirePresent(`${field}.secret.secretName`, secret.secretName),
      ...filesErrors(secret, `${field}.secret`),
    ];
  if (configMap)
    return [
      ...requirePresent(`${field}.configMap.name`, configMap.name),
      ...filesErrors(configMap, `${field}.configMap`),
    ];
  if (downwardAPI)
    return [
      ...modeErrors(downwardAPI.defaultMode, `${field}.downwardAPI.defaultMode`),
      ...eachItem(`${field}.downwardAPI`, downwardAPI.items, (file) =>
        downwardFileErrors(file, `${field}.downwardAPI`),
      ),
    ];
  if (projected)
    return [
      ...modeErrors(projected.defaultMode, `${field}.projected.defaultMode`),
      ...eachItem(`${field}.projected.sources`, projected.sources, projectionErrors),
    ];
  if (image) return requirePresent(`${field}.image.reference`, image.reference);
  if (persistentVolumeClaim)
    return requireText(`${field}.persistentVolumeClaim.claimName`, persistentVolumeClaim.claimName, checkDnsSubdomain);
  return [];
}

function sizeErrors(size: string | undefined, field: string): readonly FieldError[] {
  if (size === undefined || validateQuantity("memory", size, field).length === 0) return [];
  return [fieldError.forbidden(field, "SizeLimit field must be a valid resource quantity")];
}

const requirePresent = (field: string, value: string | undefined): readonly FieldError[] =>
  value ? [] : [fieldError.required(field)];

interface Files {
  readonly defaultMode?: number;
  readonly items?: readonly KeyToPath[];
}

function filesErrors({ defaultMode, items }: Files, field: string): readonly FieldError[] {
  return [...modeErrors(defaultMode, `${field}.defaultMode`), ...eachItem(`${field}.items`, items, keyToPathErrors)];
}

function keyToPathErrors({ key, path, mode }: KeyToPath, field: string): readonly FieldError[] {
  return [
    ...requireText(`${field}.key`, key, checkConfigMapKey),
    ...requireText(`${field}.path`, path, localFile),
    ...modeErrors(mode, `${field}.mode`),
  ];
}

function downwardFileErrors(file: DownwardAPIVolumeFile, field: string): readonly FieldError[] {
  const { path, fieldRef, resourceFieldRef, mode } = file;
  const both = "fieldRef and resourceFieldRef can not be specified simultaneously";
  return [
    ...requireText(`${field}.path`, path, localFile),
    ...(fieldRef ? validateFieldRef(fieldRef, `${field}.fieldRef`, "volume") : []),
    ...(fieldRef && resourceFieldRef ? [fieldError.invalid(field, "resource", both)] : []),
    ...(!fieldRef && resourceFieldRef
      ? validateResourceFieldRef(resourceFieldRef, `${field}.resourceFieldRef`, "volume")
      : []),
    ...(fieldRef || resourceFieldRef
      ? []
      : [fieldError.required(field, "one of fieldRef and resourceFieldRef is required")]),
    ...modeErrors(mode, `${field}.mode`),
  ];
}

function projectionErrors(source: VolumeProjection, field: string): readonly FieldError[] {
  const { secret, configMap, downwardAPI, serviceAccountToken } = source;
  const [first, ...rest] = Object.keys(source);
  if (first === undefined) return [fieldError.required(field, "must specify a projection source")];
  return [
    ...(secret
      ? [...requirePresent(`${field}.secret.name`, secret.name), ...filesErrors(secret, `${field}.secret`)]
      : []),
    ...(configMap
      ? [...requirePresent(`${field}.configMap.name`, configMap.name), ...filesErrors(configMap, `${field}.configMap`)]
      : []),
    ...eachItem(`${field}.downwardAPI.items`, downwardAPI?.items, downwardFileErrors),
    ...(serviceAccountToken ? tokenErrors(serviceAccountToken, `${field}.serviceAccountToken`) : []),
    ...rest.map((key) => fieldError.forbidden(`${field}.${key}`, "may not specify more than 1 volume type")),
  ];
}

function tokenErrors(token: ServiceAccountTokenProjection, field: string): readonly FieldError[] {
  const seconds = token.expirationSeconds ?? minTokenSeconds;
  const short = "may not specify a duration less than 10 minutes";
  const long = "may not specify a duration larger than 2^32 seconds";
  return [
    ...(seconds < minTokenSeconds ? [fieldError.invalid(`${field}.expirationSeconds`, seconds, short)] : []),
    ...(seconds > maxTokenSeconds ? [fieldError.invalid(`${field}.expirationSeconds`, seconds, long)] : []),
    ...requireText(`${field}.path`, token.path, localFile),
  ];
}

function modeErrors(mode: number | undefined, field: string): readonly FieldError[] {
  return mode === undefined || (mode >= 0 && mode <= 0o777) ? [] : [fieldError.invalid(field, mode, modeText)];
}

function noBacksteps(path: string): readonly string[] {
  return path.split("/").includes("..") ? ["must not contain '..'"] : [];
}

/** A path inside a volume: relative and not leaving it. */
function localPath(path: string): readonly string[] {
  return [...(path.startsWith("/") ? ["must be a relative path"] : []), ...noBacksteps(path)];
}

/** A file inside a volume: its name may not begin like the links by which updates are made atomic. */
function localFile(path: string): readonly string[] {
  const found = localPath(path);
  return found.length === 0 && path.startsWith("..") ? ["must not start with '..'"] : found;
}

/** Mounts name a volume of the pod, each at its own path. */
export function validateVolumeMounts(
  { volumeMounts, volumeDevices = [], securityContext }: Container,
  volumes: readonly Volume[] | undefined,
  field: string,
): readonly FieldError[] {
  const paths = new Set<string>();
  const privileged = securityContext?.privileged === true;
  return eachItem(field, volumeMounts, (mount, at) => {
    const { name, mountPath } = mount;
    const volume = volumes?.find((candidate) => candidate.name === name);
    const errors = [...requirePresent(`${at}.name`, name)];
    if (!volume) errors.push(fieldError.notFound(`${at}.name`, name ?? ""));
    errors.push(...requirePresent(`${at}.mountPath`, mountPath));
    if (paths.has(mountPath)) errors.push(fieldError.invalid(`${at}.mountPath`, mountPath, "must be unique"));
    paths.add(mountPath);
    if (volumeDevices.some((device) => device.name === name))
      errors.push(fieldError.invalid(`${at}.name`, name, "must not already exist in volumeDevices"));
    return [...errors, ...subPathErrors(mount, field, at), ...propagationErrors(mount, privileged, field)];
  });
}

function subPathErrors({ subPath, subPathExpr }: VolumeMount, field: string, at: string): readonly FieldError[] {
  const both = "subPathExpr and subPath are mutually exclusive";
  return [
    ...(subPath ? complaints(`${field}.subPath`, subPath, localPath(subPath)) : []),
    ...(subPath && subPathExpr ? [fieldError.invalid(`${at}.subPathExpr`, subPathExpr, both)] : []),
    ...(subPathExpr ? complaints(`${field}.subPathExpr`, subPathExpr, localPath(subPathExpr)) : []),
  ];
}

function propagationErrors(
  { mountPropagation }: VolumeMount,
  privileged: boolean,
  field: string,
): readonly FieldError[] {
  const at = `${field}.mountPropagation`;
  const errors = [...checkOneOf(at, mountPropagation, ["Bidirectional", "HostToContainer", "None"])];
  if (mountPropagation === "Bidirectional" && !privileged)
    errors.push(fieldError.forbidden(at, "Bidirectional mount propagation is available only to privileged containers"));
  return errors;
}
