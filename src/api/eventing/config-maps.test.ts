import { expect, test } from "vitest";
import { checkEventingConfigMap, remarksOnConfigMap } from "./config-maps.ts";

const map = (name: string, data: Readonly<Record<string, string>>, namespace = "knative-eventing") => ({
  metadata: { name, namespace },
  data,
});

test.each([
  ["config-br-defaults", "default-br-config", "- a list", "not a YAML map with clusterDefault and namespaceDefaults"],
  ["default-ch-webhook", "default-ch-config", "{", "not a YAML map"],
  ["config-br-default-channel", "channel-template-spec", "kind: X", "not a YAML map with apiVersion and kind"],
  ["config-ping-defaults", "data-max-size", "1Ki", 'data-max-size: "1Ki" is not a number of bytes'],
  ["config-features", "requestreply-default-timeout", "soon", '"soon" is no duration'],
])("refuses a bad value in %s", (name, key, value, expected) => {
  const [error] = checkEventingConfigMap(map(name, { [key]: value }));
  expect(error?.message).toMatch(expected);
  expect(checkEventingConfigMap(map(name, { [key]: value }, "default"))).toEqual([]);
});

test.each([
  ["config-features", { "transport-encryption": "strict" }, ['"transport-encryption" has no effect here: Brokers and']],
  ["config-features", { "transport-encryption": "disabled", "authentication-oidc": "enabled" }, []],
  ["config-features", { "no-such-feature": "enabled" }, ['"no-such-feature" has no effect here']],
  ["config-sugar", { "namespace-selector": "matchLabels: {}", _example: "…" }, ['"namespace-selector" has no effect']],
  ["config-sugar", { _example: "…" }, []],
  ["config-observability", { "metrics-protocol": "grpc" }, ['"metrics-protocol" has no effect here: metrics are at']],
  [
    "config-br-default-channel",
    { "channel-template-spec": "apiVersion: messaging.knative.dev/v1beta1\nkind: KafkaChannel\n" },
    ['"channel-template-spec" names a KafkaChannel: Brokers keep their events in'],
  ],
  ["of-somebody-else", { a: "b" }, []],
])("says what of %s %j has no effect", (name, data, expected) => {
  const remarks = remarksOnConfigMap(map(name, data as Readonly<Record<string, string>>));
  expect(remarks).toHaveLength(expected.length);
  for (const [index, text] of expected.entries()) expect(remarks[index]).toContain(text);
});
