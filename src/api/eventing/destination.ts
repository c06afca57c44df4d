/** Destinations and references: defaults and checks (knative.dev/pkg apis/duck/v1 destination.go, knative_reference.go). */
import { X509Certificate } from "node:crypto";
import type { Mutable } from "../meta/object.ts";
import {
  disallowedField,
  invalidKeyName,
  invalidValue,
  missingField,
  problem,
  self,
  within,
  type Problem,
  type Problems,
} from "../serving/problems.ts";
import type { CloudEventOverrides, Destination, KReference, SourceSpec } from "./types-duck.gen.ts";

/** Objects named without a namespace are of the namespace that names them. */
export function defaultDestination(destination: Mutable<Destination> | undefined, namespace: string | undefined): void {
  if (destination?.ref && !destination.ref.namespace && namespace) destination.ref.namespace = namespace;
}

/** `parent` is the namespace that a reference must be of; any will do without it. */
export function checkDestination(destination: Destination | undefined, parent?: string): Problems {
  const { ref, uri, CACerts } = destination ?? {};
  if (!ref && uri === undefined) return [problem("expected at least one, got none", ["ref", "uri"])];
  const url = uri === undefined ? undefined : absoluteUrl(uri);
  if (ref && url) {
    const message = "Absolute URI is not allowed when Ref or [apiVersion, kind, name] is present";
    return [problem(message, ["[apiVersion, kind, name]", "ref", "uri"])];
  }
  if (!ref && !url?.host)
    return [invalidValue("Relative URI is not allowed when Ref and [apiVersion, kind, name] is absent", "uri")];
  if (uri !== undefined && !URL.canParse(uri, "http://host")) return [invalidValue(uri, "uri")];
  return [...(ref ? within("ref", checkReference(ref, parent)) : []), ...checkCertificates(CACerts)];
}

const absoluteUrl = (uri: string): URL | undefined => (URL.canParse(uri) ? new URL(uri) : undefined);

/** A destination that may be left out. */
export const checkOptionalDestination = (destination: Destination | undefined, parent?: string): Problems =>
  destination === undefined ? [] : checkDestination(destination, parent);

export const isEmptyDestination = (destination: Destination | undefined): boolean =>
  destination === undefined || Object.values(destination).every((value) => value === undefined || value === "");

export function checkReference(ref: KReference, parent?: string): Problems {
  const problems: Problem[] = [];
  for (const field of ["name", "apiVersion", "kind"] as const) if (!ref[field]) problems.push(missingField(field));
  if (ref.group) problems.push(disallowedField("group"));
  if (parent && ref.namespace && ref.namespace !== parent) {
    const details = `parent namespace: ${JSON.stringify(parent)} does not match ref: ${JSON.stringify(ref.namespace)}`;
    problems.push(problem("mismatched namespaces", ["namespace"], details));
  }
  return problems;
}

function checkCertificates(pem: string | undefined): Problems {
  if (!pem) return [];
  if (!/-----BEGIN [^-]+-----/.test(pem)) return [invalidValue("CA Cert provided is invalid", "caCert")];
  if (!pem.includes("-----BEGIN CERTIFICATE-----"))
    return [invalidValue("CA Cert provided is not a certificate", "caCert")];
  try {
    return new X509Certificate(pem).subject === undefined ? [] : [];
  } catch {
    return [invalidValue("CA Cert provided is invalid", "caCert")];
  }
}

/** What sources have in common. The sink itself is checked where the source is: some may do without. */
export const checkSourceSpec = ({ ceOverrides }: Pick<SourceSpec, "ceOverrides">): Problems =>
  within("ceOverrides", checkOverrides(ceOverrides));

function checkOverrides(overrides: CloudEventOverrides | undefined): Problems {
  for (const name of Object.keys(overrides?.extensions ?? {})) {
    if (name === "") return within("extensions", [invalidKeyName(name, self, "keys MUST NOT be empty")]);
    if (!/^[a-zA-Z0-9]+$/.test(name))
      return within("extensions", [invalidKeyName(name, self, "keys are expected to be alphanumeric")]);
  }
  return [];
}
