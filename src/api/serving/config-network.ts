/** ConfigMap config-network: hosts, schemes and rollouts (knative.dev/networking pkg/config/config.go). */
import { cached, finish, readConfig, type ConfigData, type ConfigReader, type Parsed } from "./config-values.ts";
import { parseMetaTemplate, type MetaTemplate } from "./meta-template.ts";

export interface NetworkConfig {
  readonly domainTemplate: MetaTemplate;
  readonly tagTemplate: MetaTemplate;
  readonly ingressClass: string;
  readonly defaultExternalScheme: string;
  /** `Enabled` serves http, `Redirected` answers it with a redirect to https. */
  readonly httpProtocol: "Enabled" | "Redirected";
  readonly externalDomainTls: boolean;
  /** Who keeps certificates, unless an object says otherwise. */
  readonly certificateClass: string;
  readonly autocreateClusterDomainClaims: boolean;
  /** 0: a new Revision takes all traffic at once. */
  readonly rolloutDurationS: number;
}

export const certManagerClass = "cert-manager.certificate.networking.knative.dev";

const defaultDomainTemplate = "{{.Name}}.{{.Namespace}}.{{.Domain}}";
const defaultTagTemplate = "{{.Tag}}-{{.Name}}";

/** Stands for labels and annotations in a trial: which keys a Route will have is not known yet. */
const anyKey: Readonly<Record<string, string>> = new Proxy({}, { get: () => "x" });

export function parseNetworkConfig(data: ConfigData): Parsed<NetworkConfig> {
  const config = readConfig(data);
  const rolloutDurationS = config.integer("rollout-duration", 0);
  config.require(rolloutDurationS >= 0, `rollout-duration must be a positive integer, but was ${rolloutDurationS}`);
  const domain = template(config, data["domain-template"] || defaultDomainTemplate, "domain-template");
  const tag = template(config, data["tag-template"] || defaultTagTemplate, "tag-template");
  const host = domain({ Name: "foo", Namespace: "bar", Domain: "baz.com", Annotations: anyKey, Labels: anyKey });
  config.require(isHost(host), `domain-template makes ${JSON.stringify(host)}, which is no host name`);
  const tagged = tag({ Name: "foo", Tag: "v2" });
  config.require(isHost(tagged), `tag-template makes ${JSON.stringify(tagged)}, which is no host name`);
  const value: NetworkConfig = {
    domainTemplate: domain,
    tagTemplate: tag,
    ingressClass: config.text("ingress-class", "ebb.ingress.networking.knative.dev"),
    defaultExternalScheme: config.text("default-external-scheme", "http"),
    httpProtocol: httpProtocol(config, data["http-protocol"]),
    externalDomainTls: enabled(data["external-domain-tls"] ?? data["auto-tls"]),
    certificateClass: config.text("certificate-class", certManagerClass),
    autocreateClusterDomainClaims: config.boolean("autocreate-cluster-domain-claims", false),
    rolloutDurationS: Math.max(0, rolloutDurationS),
  };
  return finish(config, value);
}

export const networkConfig: (data: ConfigData) => NetworkConfig = cached(parseNetworkConfig);

function template(config: ConfigReader, text: string, key: string): MetaTemplate {
  const parsed = parseMetaTemplate(text);
  if (typeof parsed === "function") return parsed;
  config.problems.push(`failed to parse ${JSON.stringify(key)}: ${parsed.problem}`);
  return () => "";
}

const isHost = (text: string): boolean => /^[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?$/.test(text) && !text.includes("..");

const enabled = (text = ""): boolean => text.toLowerCase() === "enabled";

function httpProtocol(config: ConfigReader, text = "Enabled"): "Enabled" | "Redirected" {
  const lower = text.toLowerCase();
  config.require(
    lower === "enabled" || lower === "redirected",
    `http-protocol ${JSON.stringify(text)} is not supported: want "Enabled" or "Redirected"`,
  );
  return lower === "redirected" ? "Redirected" : "Enabled";
}
