/** The status of a CustomResourceDefinition: whether its names are free, and so whether it is served. */
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionCondition,
  CustomResourceDefinitionNames,
  CustomResourceDefinitionStatus,
} from "../../api/apiextensions/types.gen.ts";
import type { Kind } from "../../api/meta/kind.ts";
import { formatTime } from "../../api/meta/time.ts";

/** Names in use in the same group by anything else. */
export interface TakenNames {
  readonly resources: ReadonlySet<string>;
  readonly kinds: ReadonlySet<string>;
}

/** Collects the names that other definitions of the group have accepted, and those of built-in kinds. */
export function takenNames(
  crd: CustomResourceDefinition,
  others: readonly CustomResourceDefinition[],
  kinds: readonly Kind[],
): TakenNames {
  const resources = new Set<string>();
  const kindNames = new Set<string>();
  const take = (names: CustomResourceDefinitionNames): void => {
    for (const name of [names.plural, names.singular, ...(names.shortNames ?? [])]) if (name) resources.add(name);
    for (const name of [names.kind, names.listKind]) if (name) kindNames.add(name);
  };
  for (const kind of kinds) {
    if (kind.group === crd.spec.group) take({ ...kind, listKind: `${kind.kind}List` });
  }
  for (const other of others) {
    const accepted = other.status?.acceptedNames;
    if (accepted && other.spec.group === crd.spec.group && other.metadata.name !== crd.metadata.name) take(accepted);
  }
  return { resources, kinds: kindNames };
}

/** The status a definition should have now. Returns the old one itself when nothing changes. */
export function statusOf(
  crd: CustomResourceDefinition,
  taken: TakenNames,
  now: number,
): CustomResourceDefinitionStatus {
  const { names } = crd.spec;
  const conflict = conflictIn(names, taken);
  const wasEstablished = crd.status?.conditions?.some(
    ({ type, status }) => type === "Established" && status === "True",
  );
  const conditions = [
    conflict
      ? condition("NamesAccepted", "False", conflict.reason, conflict.message)
      : condition("NamesAccepted", "True", "NoConflicts", "no conflicts found"),
    conflict && !wasEstablished
      ? condition("Established", "False", "NotAccepted", "not all names are accepted")
      : condition("Established", "True", "InitialNamesAccepted", "the initial names have been accepted"),
  ];
  const storage = crd.spec.versions.find((version) => version.storage)?.name;
  const stored = crd.status?.storedVersions ?? [];
  return {
    conditions: mergeConditions(crd.status?.conditions ?? [], conditions, now),
    acceptedNames: conflict ? (crd.status?.acceptedNames ?? { plural: "", kind: "" }) : names,
    storedVersions: storage === undefined || stored.includes(storage) ? stored : [...stored, storage],
  };
}

export const isEstablished = ({ conditions }: CustomResourceDefinitionStatus): boolean =>
  conditions?.some(({ type, status }) => type === "Established" && status === "True") ?? false;

function conflictIn(
  names: CustomResourceDefinitionNames,
  { resources, kinds }: TakenNames,
): { readonly reason: string; readonly message: string } | undefined {
  const inUse = (reason: string, name: string) => ({ reason, message: `${JSON.stringify(name)} is already in use` });
  if (resources.has(names.plural)) return inUse("PluralConflict", names.plural);
  if (names.singular && resources.has(names.singular)) return inUse("SingularConflict", names.singular);
  const short = names.shortNames?.find((name) => resources.has(name));
  if (short) return inUse("ShortNamesConflict", short);
  if (kinds.has(names.kind)) return inUse("KindConflict", names.kind);
  if (names.listKind && kinds.has(names.listKind)) return inUse("ListKindConflict", names.listKind);
  return undefined;
}

const condition = (
  type: string,
  status: string,
  reason: string,
  message: string,
): CustomResourceDefinitionCondition => ({
  type,
  status,
  reason,
  message,
});

/** A condition keeps its time while its status stays. */
function mergeConditions(
  old: readonly CustomResourceDefinitionCondition[],
  next: readonly CustomResourceDefinitionCondition[],
  now: number,
): CustomResourceDefinitionCondition[] {
  const kept = old.filter(({ type }) => !next.some((condition) => condition.type === type));
  const merged = next.map((condition) => {
    const before = old.find(({ type }) => type === condition.type);
    const since = before?.status === condition.status ? before.lastTransitionTime : undefined;
    return { lastTransitionTime: since ?? formatTime(now), ...condition };
  });
  return [...merged, ...kept];
}
