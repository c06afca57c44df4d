import { expect, test } from "vitest";
import { domainConfig } from "../../api/serving/config-domain.ts";
import { networkConfig } from "../../api/serving/config-network.ts";
import type { Service } from "../../api/core/types.gen.ts";
import type { Route } from "../../api/serving/types.gen.ts";
import { hostsOf, type HostSettings } from "./route-hosts.ts";

const settings = (some: Partial<HostSettings> = {}): HostSettings => ({
  network: networkConfig({}),
  domains: domainConfig({}),
  defaultDomain: "localhost",
  externalPort: 8080,
  ...some,
});
const route = (labels: Record<string, string> = {}, name = "hello"): Route =>
  ({ metadata: { name, namespace: "default", labels }, spec: {} }) as Route;
const hosts = (
  tag: string,
  some: Partial<HostSettings> = {},
  labels: Record<string, string> = {},
  services: readonly Service[] = [],
) => {
  const found = hostsOf(route(labels), tag, settings(some), (name) => services.find((s) => s.metadata.name === name));
  if (!found.ok) throw new Error(found.problem);
  return found.hosts;
};

test("names a Route inside and outside, with the router's port where users need it", () => {
  expect(hosts("")).toEqual({
    tag: "",
    hostname: "hello",
    external: "hello.default.localhost",
    local: ["hello.default", "hello.default.svc", "hello.default.svc.cluster.local"],
    url: "http://hello.default.localhost:8080",
  });
  expect(hosts("", { externalPort: 80 }).url).toBe("http://hello.default.localhost");
});

test("puts the tag in front, by the template", () => {
  expect(hosts("blue").external).toBe("blue-hello.default.localhost");
  const network = networkConfig({ "tag-template": "{{.Name}}-{{.Tag}}", "domain-template": "{{.Name}}.{{.Domain}}" });
  expect(hosts("blue", { network }).external).toBe("hello-blue.localhost");
});

test("takes the domain whose labels fit best, the first in the alphabet among equals", () => {
  const domains = domainConfig({
    "example.com": "",
    "b.example.com": "selector:\n  app: x\n",
    "a.example.com": "selector:\n  app: x\n",
    "best.example.com": "selector:\n  app: x\n  tier: y\n",
  });
  const domain = (labels: Record<string, string>) =>
    hosts("", { domains }, labels).external?.replace("hello.default.", "");
  expect(domain({})).toBe("example.com");
  expect(domain({ app: "x" })).toBe("a.example.com");
  expect(domain({ app: "x", tier: "y" })).toBe("best.example.com");
});

test("hides what is marked local: the Route, or one tag by its core Service", () => {
  const label = { "networking.knative.dev/visibility": "cluster-local" };
  expect(hosts("", {}, label)).toMatchObject({ external: undefined, url: "http://hello.default.svc.cluster.local" });
  const hidden = { metadata: { name: "blue-hello", labels: label }, spec: {} };
  expect(hosts("blue", {}, {}, [hidden]).external).toBeUndefined();
  expect(hosts("", {}, {}, [hidden]).external).toBe("hello.default.localhost");
});

test("refuses a name that no host can have, saying which part", () => {
  const tag = "t".repeat(60);
  const found = hostsOf(route({}, "hello"), tag, settings(), () => undefined);
  expect(found).toMatchObject({ ok: false, problem: expect.stringMatching(/has 66 characters, at most 63/) });
});
