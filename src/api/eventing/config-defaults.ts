/**
 * What a Broker or a Channel is that does not say: ConfigMaps config-br-defaults and default-ch-webhook of namespace
 * knative-eventing (eventing pkg/apis/config, pkg/apis/messaging/config). Their values are YAML.
 */
import { createRequire } from "node:module";
import type { WriteContext } from "../meta/definition.ts";
import { cached, finish, readConfig, type ConfigData, type Parsed } from "../serving/config-values.ts";
import { defaultBrokerClass, eventingNamespace } from "./keys.ts";
import type { ChannelTemplateSpec, DeliverySpec, KReference } from "./types-duck.gen.ts";

export interface BrokerDefaults {
  readonly brokerClass?: string;
  readonly config?: KReference;
  readonly delivery?: DeliverySpec;
}

export interface PerNamespace<T> {
  readonly cluster?: T;
  readonly namespaces: Readonly<Record<string, T>>;
}

/** Upstream ships these. */
const shippedBroker: BrokerDefaults = {
  brokerClass: defaultBrokerClass,
  config: { apiVersion: "v1", kind: "ConfigMap", name: "config-br-default-channel", namespace: eventingNamespace },
  delivery: { retry: 10, backoffPolicy: "exponential", backoffDelay: "PT0.2S" },
};

const shippedChannel: ChannelTemplateSpec = { apiVersion: "messaging.knative.dev/v1", kind: "InMemoryChannel" };

type Yaml = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Yaml =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function readYaml(text: string): Yaml | undefined {
  try {
    // Loaded only where somebody configured it: it weighs 10 MB.
    const { parse } = createRequire(import.meta.url)("yaml") as typeof import("yaml");
    const value: unknown = parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function parsePerNamespace<T>(
  data: ConfigData,
  key: string,
  read: (value: Yaml) => T,
  shipped: T,
): Parsed<PerNamespace<T>> {
  const config = readConfig(data);
  const text = config.text(key, "");
  if (text.trim() === "") return finish(config, { cluster: shipped, namespaces: {} });
  const value = readYaml(text);
  config.require(value !== undefined, `${key}: not a YAML map with clusterDefault and namespaceDefaults`);
  const cluster = value?.["clusterDefault"];
  const namespaces = value?.["namespaceDefaults"];
  const named = isObject(namespaces) ? Object.entries(namespaces).filter(([, one]) => isObject(one)) : [];
  return finish(config, {
    ...(isObject(cluster) ? { cluster: read(cluster) } : {}),
    namespaces: Object.fromEntries(named.map(([name, one]) => [name, read(one as Yaml)])),
  });
}

function readBroker(value: Yaml): BrokerDefaults {
  const { brokerClass, apiVersion, kind, name, namespace, delivery } = value as Readonly<Record<string, string>>;
  const config = { apiVersion, kind, name, namespace } as KReference;
  return {
    ...(typeof brokerClass === "string" ? { brokerClass } : {}),
    ...(typeof kind === "string" && typeof name === "string" ? { config: JSON.parse(JSON.stringify(config)) } : {}),
    ...(isObject(delivery) ? { delivery: delivery as DeliverySpec } : {}),
  };
}

export const parseBrokerDefaults = (data: ConfigData): Parsed<PerNamespace<BrokerDefaults>> =>
  parsePerNamespace(data, "default-br-config", readBroker, shippedBroker);
export const parseChannelDefaults = (data: ConfigData): Parsed<PerNamespace<ChannelTemplateSpec>> =>
  parsePerNamespace(data, "default-ch-config", (value) => value as ChannelTemplateSpec, shippedChannel);

const brokerDefaults = cached(parseBrokerDefaults);
const channelDefaults = cached(parseChannelDefaults);

/** ConfigMap config-br-default-channel: which channel is behind a Broker upstream. */
export function parseChannelTemplate(data: ConfigData): Parsed<ChannelTemplateSpec | undefined> {
  const config = readConfig(data);
  const text = config.text("channel-template-spec", "").trim();
  const value = text === "" ? undefined : readYaml(text);
  config.require(
    text === "" || (typeof value?.["apiVersion"] === "string" && typeof value["kind"] === "string"),
    "channel-template-spec: not a YAML map with apiVersion and kind",
  );
  return finish(config, value as ChannelTemplateSpec | undefined);
}

/** What a new Broker of a namespace is given. */
export function brokerDefaultsFor(
  namespace: string | undefined,
  context: Pick<WriteContext, "configMap">,
): BrokerDefaults {
  const { cluster, namespaces } = brokerDefaults(context.configMap(eventingNamespace, "config-br-defaults"));
  return namespaces[namespace ?? ""] ?? cluster ?? {};
}

/** The channel that is made where none is named; undefined when the configuration has none for the namespace. */
export function channelTemplateFor(
  namespace: string | undefined,
  context: Pick<WriteContext, "configMap">,
): ChannelTemplateSpec | undefined {
  const { cluster, namespaces } = channelDefaults(context.configMap(eventingNamespace, "default-ch-webhook"));
  return namespaces[namespace ?? ""] ?? cluster;
}
