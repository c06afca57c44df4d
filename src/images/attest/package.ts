/** Something an image contains or was made from. */
export interface Package {
  readonly name: string;
  readonly version: string;
  /** Package URL, `pkg:npm/left-pad@1.3.0`: how databases of vulnerabilities find it. */
  readonly purl: string;
}

export type PackageKind = "npm" | "pypi" | "golang" | "cargo";

/** Of the package-url specification: names are encoded, of npm and Go part by part, of PyPI normalised. */
export function packageOf(kind: PackageKind, name: string, version: string): Package {
  const plain = kind === "pypi" ? name.toLowerCase().replaceAll(/[-_.]+/g, "-") : name;
  const encoded = plain.split("/").map(encodeURIComponent).join("/");
  return { name, version, purl: `pkg:${kind}/${encoded}@${encodeURIComponent(version)}` };
}

/** Each once, in order. */
export function distinct(packages: readonly Package[]): readonly Package[] {
  const byPurl = new Map(packages.map((one) => [one.purl, one] as const));
  return [...byPurl.values()].sort((a, b) => (a.purl < b.purl ? -1 : 1));
}

/** Reads what {@link packageOf} has made, between spaces. */
export function packagesOf(purls: string): readonly Package[] {
  return purls.split(" ").flatMap((purl) => {
    const [, name, version] = /^pkg:\w+\/(.+)@([^@]+)$/.exec(purl) ?? [];
    if (name === undefined || version === undefined) return [];
    return { name: decodeURIComponent(name), version: decodeURIComponent(version), purl };
  });
}
