import type { Package } from "./package.ts";

export interface SbomFacts {
  /** `dev.local/default/hello`. */
  readonly image: string;
  readonly digest: string;
  readonly packages: readonly Package[];
  /** What lies beneath. */
  readonly base?: { readonly name: string; readonly digest: string };
  /** `0.1.0` */
  readonly ebbVersion: string;
}

/** Builds have no date: the same image has the same SBOM. */
const created = "1970-01-01T00:00:00Z";

/** An SPDX 2.3 document about an image (spdx.github.io/spdx-spec/v2.3), as plain data for JSON. */
export function spdxDocument(facts: SbomFacts): Readonly<Record<string, unknown>> {
  const { image, digest, packages, base } = facts;
  const listed = packages.map((one, i) => ({ id: `SPDXRef-Package-${i + 1}`, one }));
  return {
    spdxVersion: "SPDX-2.3",
    dataLicense: "CC0-1.0",
    SPDXID: "SPDXRef-DOCUMENT",
    name: image,
    documentNamespace: `urn:ebb:sbom:${digest}`,
    creationInfo: { created, creators: [`Tool: ebb-${facts.ebbVersion}`] },
    documentDescribes: ["SPDXRef-Image"],
    packages: [
      imagePackage("SPDXRef-Image", image, digest),
      ...(base ? [imagePackage("SPDXRef-Base", base.name, base.digest)] : []),
      ...listed.map(({ id, one }) => ({
        SPDXID: id,
        name: one.name,
        versionInfo: one.version,
        downloadLocation: "NOASSERTION",
        filesAnalyzed: false,
        licenseConcluded: "NOASSERTION",
        licenseDeclared: "NOASSERTION",
        copyrightText: "NOASSERTION",
        externalRefs: [{ referenceCategory: "PACKAGE-MANAGER", referenceType: "purl", referenceLocator: one.purl }],
      })),
    ],
    relationships: [
      relationship("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-Image"),
      ...(base ? [relationship("SPDXRef-Image", "DESCENDANT_OF", "SPDXRef-Base")] : []),
      ...listed.map(({ id }) => relationship("SPDXRef-Image", "CONTAINS", id)),
    ],
  };
}

function imagePackage(id: string, name: string, digest: string): Readonly<Record<string, unknown>> {
  const last = name.slice(name.lastIndexOf("/") + 1).replace(/:.*$/, "");
  return {
    SPDXID: id,
    name,
    versionInfo: digest,
    downloadLocation: "NOASSERTION",
    filesAnalyzed: false,
    licenseConcluded: "NOASSERTION",
    licenseDeclared: "NOASSERTION",
    copyrightText: "NOASSERTION",
    primaryPackagePurpose: "CONTAINER",
    checksums: [{ algorithm: "SHA256", checksumValue: digest.slice(7) }],
    externalRefs: [
      {
        referenceCategory: "PACKAGE-MANAGER",
        referenceType: "purl",
        referenceLocator: `pkg:oci/${encodeURIComponent(last)}@${encodeURIComponent(digest)}`,
      },
    ],
  };
}

function relationship(from: string, relationshipType: string, to: string): Readonly<Record<string, string>> {
  return { spdxElementId: from, relationshipType, relatedSpdxElement: to };
}
