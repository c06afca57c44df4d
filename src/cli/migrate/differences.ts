/** One place at which two values differ. */
export interface Difference {
  /** `spec.template.spec.containers[0].image`. */
  readonly path: string;
  readonly from: unknown;
  readonly to: unknown;
}

/**
 * Where an object would change if `wanted` were applied to it. Fields that `wanted` does not name are the server's, or
 * somebody else's, and stay; in lists every element counts, and those of objects are compared the same way.
 */
export function differences(present: unknown, wanted: unknown, path = ""): readonly Difference[] {
  if (Array.isArray(wanted)) {
    if (!Array.isArray(present) || present.length !== wanted.length) return [{ path, from: present, to: wanted }];
    return wanted.flatMap((item, i) => differences(present[i], item, `${path}[${i}]`));
  }
  if (isObject(wanted)) {
    if (!isObject(present)) return isEmpty(wanted) ? [] : [{ path, from: present, to: wanted }];
    return Object.entries(wanted).flatMap(([key, value]) =>
      differences(present[key], value, path === "" ? key : `${path}.${key}`),
    );
  }
  return present === wanted ? [] : [{ path, from: present, to: wanted }];
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isEmpty = (value: object): boolean => Object.keys(value).length === 0;

/** One line for a person; what a Secret holds is never in it. */
export function differenceText({ path, from, to }: Difference, secret: boolean): string {
  if (secret && /^(data|stringData|binaryData)/.test(path))
    return from === undefined ? `${path}: only in the source` : `${path}: another value`;
  return `${path}: ${shown(from)} -> ${shown(to)}`;
}

function shown(value: unknown): string {
  if (value === undefined) return "none";
  const text = JSON.stringify(value);
  return text.length > 120 ? `${text.slice(0, 117)}...` : text;
}
