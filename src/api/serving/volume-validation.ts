/** Volumes of a Revision (pkg/apis/serving/k8s_validation.go). */
import type { VolumeProjection } from "../core/types.gen.ts";
import { checkDnsLabel } from "../meta/names.ts";
import { flagHint, volumeFlags, type ServingFeatures } from "./config-features.ts";
import {
  each,
  invalidValue,
  missingField,
  missingOneOf,
  multipleOneOf,
  problem,
  within,
  type Problem,
  type Problems,
} from "./problems.ts";
import type { RevisionSpec, Volume } from "./types.gen.ts";

const sources = [
  "secret",
  "configMap",
  "projected",
  "emptyDir",
  "persistentVolumeClaim",
  "hostPath",
  "csi",
  "ephemeral",
  "image",
] as const;

const claimFlag = "kubernetes.podspec-persistent-volume-claim";
const claimWriteFlag = "kubernetes.podspec-persistent-volume-write";

/** Problems with paths such as `[0].name`. */
export function checkVolumes(spec: RevisionSpec, features: ServingFeatures): Problems {
  const containers = [...(spec.initContainers ?? []), ...(spec.containers ?? [])];
  const mounted = new Set(containers.flatMap((one) => (one.volumeMounts ?? []).map((mount) => mount.name)));
  const names = new Set<string>();
  return each("", spec.volumes, (volume) => {
    const problems: Problem[] = [];
    if (names.has(volume.name))
      problems.push(problem(`duplicate volume name ${JSON.stringify(volume.name)}`, ["name"]));
    if (!mounted.has(volume.name))
      problems.push(problem(`volume with name ${JSON.stringify(volume.name)} not mounted`, ["name"]));
    names.add(volume.name);
    return [...problems, ...checkVolume(volume, features)];
  });
}

function checkVolume(volume: Volume, features: ServingFeatures): Problems {
  return [
    ...checkName(volume.name),
    ...checkFlags(volume, features),
    ...checkSources(volume, features),
    ...within("secret", each("items", volume.secret?.items, checkKeyToPath)),
    ...within("configMap", each("items", volume.configMap?.items, checkKeyToPath)),
    ...each("projected", volume.projected?.sources, checkProjection),
    ...within("emptyDir", checkMedium(volume.emptyDir?.medium)),
  ];
}

function checkName(name: string | undefined): Problems {
  if (!name) return [missingField("name")];
  return checkDnsLabel(name).length === 0 ? [] : [invalidValue(name, "name")];
}

function checkFlags(volume: Volume, features: ServingFeatures): Problems {
  const problems: Problem[] = [];
  for (const source of sources) {
    const flag = volumeFlags[source];
    if (!flag || volume[source] === undefined || features(flag.key) === "Enabled") continue;
    const { key, title } = flag;
    const found = `${title} support is disabled, but found ${title} ${volume.name}`;
    problems.push(problem(found, [], flagHint([key])));
  }
  const claim = volume.persistentVolumeClaim;
  if (!claim) return problems;
  const found = `but found persistent volume claim ${claim.claimName}`;
  if (features(claimFlag) !== "Enabled")
    problems.push(problem(`Persistent volume claim support is disabled, ${found}`, [], flagHint([claimFlag])));
  if (!claim.readOnly && features(claimWriteFlag) !== "Enabled")
    problems.push(
      problem(
        `Persistent volume write support is disabled, ${found} that is not read-only`,
        [],
        flagHint([claimWriteFlag]),
      ),
    );
  return problems;
}

function checkSources(volume: Volume, features: ServingFeatures): Problems {
  const set = sources.filter((source) => volume[source] !== undefined);
  if (set.length > 1) return [multipleOneOf(...set)];
  if (set.length === 1) return [];
  const flagOf = (source: string): string | undefined =>
    source === "persistentVolumeClaim" ? claimFlag : volumeFlags[source]?.key;
  return [missingOneOf(...sources.filter((source) => features(flagOf(source) ?? "multi-container") === "Enabled"))];
}

function checkKeyToPath(item: { readonly key?: string; readonly path?: string }): Problems {
  return (["key", "path"] as const).filter((field) => !item[field]).map((field) => missingField(field));
}

const projections = ["secret", "configMap", "serviceAccountToken", "downwardAPI"] as const;

function checkProjection(projection: VolumeProjection): Problems {
  const set = projections.filter((source) => projection[source] !== undefined);
  const problems: Problem[] = [];
  if (set.length === 0) problems.push(missingOneOf(...projections));
  if (set.length > 1) problems.push(multipleOneOf(...set));
  for (const source of ["secret", "configMap"] as const) {
    const value = projection[source];
    if (!value) continue;
    if (!value.name) problems.push(missingField(`${source}.name`));
    problems.push(...within(source, each("items", value.items, checkKeyToPath)));
  }
  if (projection.serviceAccountToken && !projection.serviceAccountToken.path)
    problems.push(missingField("serviceAccountToken.path"));
  return [...problems, ...within("downwardAPI", each("items", projection.downwardAPI?.items, checkDownwardItem))];
}

type DownwardItem = NonNullable<NonNullable<VolumeProjection["downwardAPI"]>["items"]>[number];

function checkDownwardItem(item: DownwardItem): Problems {
  const paths = ["fieldRef", "resourceFieldRef"];
  const problems: Problem[] = [];
  if (!item.fieldRef && !item.resourceFieldRef) problems.push(missingOneOf(...paths));
  if (item.fieldRef && item.resourceFieldRef)
    problems.push(problem("Within a single item, cannot set both", ["resourceFieldRef", "fieldRef"]));
  if (!item.path) problems.push(missingField("path"));
  return problems;
}

const checkMedium = (medium = ""): Problems =>
  medium === "" || medium === "Memory" ? [] : [invalidValue(medium, "medium")];
