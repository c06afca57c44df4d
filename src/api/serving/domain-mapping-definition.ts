/** DomainMapping as the API server serves it (pkg/apis/serving/v1beta1/domainmapping_validation.go). */
import { nameColumn } from "../meta/columns.ts";
import type { KindDefinition } from "../meta/definition.ts";
import { checkDnsSubdomain } from "../meta/names.ts";
import { schemaOf } from "../schemas.ts";
import { readyColumns, servingKindFacts, urlColumn } from "./columns.ts";
import { fillStructs } from "./go-structs.ts";
import { DomainMappingKind } from "./kinds.ts";
import { checkCreator } from "./metadata-validation.ts";
import {
  disallowedField,
  missingField,
  problem,
  toFieldErrors,
  within,
  type Problem,
  type Problems,
} from "./problems.ts";
import type { DomainMapping } from "./types.gen.ts";
import { stampUser } from "./user-info.ts";

/** The domain that Services inside the cluster are under: no user may map names of it. */
const clusterDomain = "cluster.local";

export const domainMappingDefinition: KindDefinition<DomainMapping> = {
  ...servingKindFacts,
  kind: DomainMappingKind,
  schema: () => schemaOf("serving.v1.DomainMapping"),
  columns: [nameColumn, urlColumn, ...readyColumns],
  prepare: (mapping, old, context) => {
    fillStructs(mapping, "spec.ref");
    const { namespace } = mapping.metadata;
    if (namespace) mapping.spec.ref.namespace ||= namespace;
    stampUser<DomainMapping>(mapping, old, context);
  },
  validate: (mapping, old) =>
    toFieldErrors([
      ...within("metadata", checkMetadata(mapping)),
      ...(old ? checkCreator(mapping, old) : []),
      ...within("spec.ref", checkReference(mapping)),
    ]),
};

function checkMetadata({ metadata }: DomainMapping): Problems {
  const problems: Problem[] = [];
  const name = JSON.stringify(metadata.name);
  if (metadata.generateName) problems.push(disallowedField("generateName"));
  const complaint = domainComplaint(metadata.name);
  if (complaint !== undefined) problems.push(problem(`invalid name ${name}: name: ${complaint}`, ["name"]));
  if (metadata.name.endsWith(`.svc.${clusterDomain}`) || metadata.name.endsWith(`.${clusterDomain}`)) {
    const inside = `must not be a subdomain of cluster local domain ${JSON.stringify(clusterDomain)}`;
    problems.push(problem(`invalid name ${name}: ${inside}`, ["name"]));
  }
  return problems;
}

function domainComplaint(name: string): string | undefined {
  if (name === "") return "Required value";
  const value = `Invalid value: ${JSON.stringify(name)}`;
  const complaints = checkDnsSubdomain(name.replace(/\.$/, ""));
  if (complaints.length > 0) return `${value}: ${complaints.join(",")}`;
  return name.includes(".") ? undefined : `${value}: should be a domain with at least two segments separated by dots`;
}

function checkReference({ metadata, spec }: DomainMapping): Problems {
  const { ref } = spec;
  const problems: Problem[] = [];
  for (const field of ["name", "apiVersion", "kind"] as const) if (!ref[field]) problems.push(missingField(field));
  if (ref.group) problems.push(disallowedField("group"));
  if (ref.namespace && ref.namespace !== metadata.namespace) {
    const details = `parent namespace: ${JSON.stringify(metadata.namespace)} does not match ref: ${JSON.stringify(ref.namespace)}`;
    problems.push(problem("mismatched namespaces", ["namespace"], details));
  }
  return problems;
}
