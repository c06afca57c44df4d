/** Defaults of volumes (Kubernetes pkg/apis/core/v1/defaults.go). */
import type { Mutable } from "../meta/object.ts";
import { canonicalQuantity } from "../meta/quantity.ts";
import { defaultImagePullPolicy } from "./image-pull-policy.ts";
import type { DownwardAPIVolumeFile, Volume, VolumeProjection } from "./types.gen.ts";

const defaultMode = 0o644;
const tokenExpirationSeconds = 3600;

/** Fills a volume's defaults in place; one without a source is an emptyDir. */
export function defaultVolume(volume: Mutable<Volume>): void {
  if (Object.keys(volume).every((key) => key === "name")) volume.emptyDir = {};
  const { emptyDir, hostPath, image } = volume;
  if (emptyDir?.sizeLimit !== undefined) emptyDir.sizeLimit = canonicalQuantity(emptyDir.sizeLimit);
  if (hostPath) hostPath.type ??= "";
  if (image) image.pullPolicy ||= defaultImagePullPolicy(image.reference ?? "");
  defaultFiles(volume);
  const claim = volume.ephemeral?.volumeClaimTemplate?.spec;
  if (claim) claim.volumeMode ??= "Filesystem";
}

function defaultFiles(volume: Mutable<Volume>): void {
  for (const source of [volume.secret, volume.configMap, volume.downwardAPI, volume.projected])
    if (source) source.defaultMode ??= defaultMode;
  for (const file of volume.downwardAPI?.items ?? []) defaultFile(file);
  for (const projection of volume.projected?.sources ?? []) defaultProjection(projection);
}

function defaultProjection({ serviceAccountToken, downwardAPI }: Mutable<VolumeProjection>): void {
  if (serviceAccountToken) serviceAccountToken.expirationSeconds ??= tokenExpirationSeconds;
  for (const file of downwardAPI?.items ?? []) defaultFile(file);
}

function defaultFile(file: Mutable<DownwardAPIVolumeFile>): void {
  if (file.fieldRef) file.fieldRef.apiVersion ||= "v1";
  if (file.resourceFieldRef) file.resourceFieldRef.divisor = canonicalQuantity(file.resourceFieldRef.divisor ?? "0");
}
