/** ConfigMap config-domain: which domain a Route's hosts are under (pkg/reconciler/route/config/domain.go). */
import { createRequire } from "node:module";
import { cached, finish, readConfig, type ConfigData, type Parsed } from "./config-values.ts";

/** Domain of hosts that only the cluster itself can reach. */
export const clusterLocalDomain = "svc.cluster.local";

export interface DomainRule {
  readonly domain: string;
  /** Labels a Route must have. Empty: the default domain. */
  readonly selector: Readonly<Record<string, string>>;
}

export type DomainConfig = readonly DomainRule[];

export function parseDomainConfig(data: ConfigData): Parsed<DomainConfig> {
  const config = readConfig(data);
  const rules: DomainRule[] = [];
  for (const [domain, text] of Object.entries(data)) {
    if (domain === "_example") continue;
    const selector = readSelector(text);
    if (selector === undefined)
      config.problems.push(
        `failed to parse ${JSON.stringify(domain)}: want nothing or "selector:" with labels in YAML`,
      );
    rules.push({ domain, selector: selector ?? {} });
  }
  return finish(config, rules);
}

export const domainConfig: (data: ConfigData) => DomainConfig = cached(parseDomainConfig);

function readSelector(text: string): Readonly<Record<string, string>> | undefined {
  if (text.trim() === "") return {};
  let parsed: unknown;
  try {
    // Loaded only for a domain with labels, which few have: it weighs 10 MB.
    const { parse } = createRequire(import.meta.url)("yaml") as typeof import("yaml");
    parsed = parse(text);
  } catch {
    return undefined;
  }
  if (parsed === null || parsed === undefined) return {};
  if (typeof parsed !== "object" || Array.isArray(parsed)) return undefined;
  const { selector } = parsed as { readonly selector?: unknown };
  if (selector === undefined || selector === null) return {};
  if (typeof selector !== "object" || Array.isArray(selector)) return undefined;
  const labels = Object.entries(selector);
  return labels.every(([, value]) => typeof value === "string") ? (selector as Record<string, string>) : undefined;
}

/**
 * The domain of the rule that asks for most labels of those the Route has; among equals the first in the alphabet.
 * Without any rule that fits it is `fallback`.
 */
export function domainOf(
  rules: DomainConfig,
  labels: Readonly<Record<string, string>> | undefined,
  fallback: string,
): string {
  if (labels?.["networking.knative.dev/visibility"] === "cluster-local") return clusterLocalDomain;
  let best: DomainRule | undefined;
  for (const rule of rules) {
    const wanted = Object.entries(rule.selector);
    if (!wanted.every(([key, value]) => labels?.[key] === value)) continue;
    const [size, bestSize] = [wanted.length, best ? Object.keys(best.selector).length : -1];
    if (size > bestSize || (size === bestSize && best && rule.domain < best.domain)) best = rule;
  }
  return best?.domain ?? fallback;
}
