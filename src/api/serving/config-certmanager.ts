/** ConfigMap config-certmanager: which issuer signs (pkg/reconciler/certificate/config/cert_manager.go). */
import { createRequire } from "node:module";
import { cached, finish, readConfig, type ConfigData, type Parsed } from "./config-values.ts";

/** cert-manager's reference to an issuer. */
export interface IssuerReference {
  readonly name: string;
  readonly kind?: string;
  readonly group?: string;
}

export interface CertManagerConfig {
  /** For hosts that are reached from outside. */
  readonly issuerRef: IssuerReference;
}

const standard: IssuerReference = { kind: "ClusterIssuer", name: "knative-selfsigned-issuer" };

export function parseCertManagerConfig(data: ConfigData): Parsed<CertManagerConfig> {
  const config = readConfig(data);
  const text = data["issuerRef"];
  const read = text === undefined ? {} : readReference(text);
  if (read === undefined)
    config.problems.push('failed to parse "issuerRef": want "name:", and perhaps "kind:" and "group:", in YAML');
  // As upstream has it, what a reference leaves out is the standard one's.
  return finish(config, { issuerRef: { ...standard, ...read } });
}

export const certManagerConfig: (data: ConfigData) => CertManagerConfig = cached(parseCertManagerConfig);

const fields: readonly string[] = ["name", "kind", "group"];

function readReference(text: string): Partial<IssuerReference> | undefined {
  let parsed: unknown;
  try {
    // Loaded only where it is needed: it weighs 10 MB.
    const { parse } = createRequire(import.meta.url)("yaml") as typeof import("yaml");
    parsed = parse(text);
  } catch {
    return undefined;
  }
  if (parsed === null || parsed === undefined) return {};
  if (typeof parsed !== "object" || Array.isArray(parsed)) return undefined;
  const known = Object.entries(parsed).filter(([key]) => fields.includes(key));
  return known.every(([, value]) => typeof value === "string" && value !== "") ? Object.fromEntries(known) : undefined;
}
