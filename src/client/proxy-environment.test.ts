import { expect, test } from "vitest";
import { proxyOf } from "./proxy-environment.ts";

const proxy = "http://proxy.example:3128";

test.each([
  ["an address that nothing excepts", "https://api.example:6443", {}, proxy],
  ["a proxy in lower case", "https://api.example", { HTTPS_PROXY: undefined, https_proxy: "p:1" }, "http://p:1"],
  ["plain HTTP, which has its own", "http://api.example", {}, undefined],
  ["loopback", "https://127.0.0.1:6443", {}, undefined],
  ["a name that is listed", "https://api.example", { NO_PROXY: "x, api.example" }, undefined],
  ["a domain above it", "https://api.example", { NO_PROXY: "example" }, undefined],
  ["a domain above it, with a dot", "https://api.example", { NO_PROXY: ".example" }, undefined],
  ["the domain itself, with a dot", "https://example", { NO_PROXY: ".example" }, proxy],
  ["a name that only ends the same", "https://api.myexample", { NO_PROXY: "example" }, proxy],
  ["everything", "https://api.example", { NO_PROXY: "*" }, undefined],
  ["its port", "https://api.example:6443", { NO_PROXY: "api.example:6443" }, undefined],
  ["another port", "https://api.example:6443", { NO_PROXY: "api.example:443" }, proxy],
  ["a range", "https://10.1.2.3:6443", { NO_PROXY: "10.0.0.0/8" }, undefined],
  ["another range", "https://10.1.2.3:6443", { NO_PROXY: "10.2.0.0/16" }, proxy],
])("%s", (_, address, environment: Readonly<Record<string, string | undefined>>, expected) => {
  expect(proxyOf(address, { HTTPS_PROXY: proxy, ...environment })).toBe(expected);
});
