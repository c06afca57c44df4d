import type { Package } from "./package.ts";

export interface ProvenanceFacts {
  readonly image: string;
  readonly digest: string;
  /** What the user has said: language, entry, base, platforms. */
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly packages: readonly Package[];
  readonly base?: { readonly name: string; readonly digest: string };
  /** Where the source is from, when it is in a repository. */
  readonly source?: { readonly uri: string; readonly commit: string };
  readonly ebbVersion: string;
}

/** The in-toto predicate this statement has (slsa.dev/provenance/v1). */
export const provenanceType = "https://slsa.dev/provenance/v1";

/** How an image came about: an in-toto statement with SLSA provenance 1.0, as plain data for JSON. Not signed. */
export function provenanceStatement(facts: ProvenanceFacts): Readonly<Record<string, unknown>> {
  const { image, digest, source, base } = facts;
  return {
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ name: image, digest: { sha256: digest.slice(7) } }],
    predicateType: provenanceType,
    predicate: {
      buildDefinition: {
        buildType: "urn:ebb:build:function:v1",
        externalParameters: facts.parameters,
        internalParameters: {},
        resolvedDependencies: [
          ...(source ? [{ uri: source.uri, digest: { gitCommit: source.commit } }] : []),
          ...(base ? [{ uri: `oci://${base.name}`, digest: { sha256: base.digest.slice(7) } }] : []),
          ...facts.packages.map(({ purl }) => ({ uri: purl })),
        ],
      },
      runDetails: { builder: { id: "urn:ebb:builder:local", version: { ebb: facts.ebbVersion } } },
    },
  };
}
