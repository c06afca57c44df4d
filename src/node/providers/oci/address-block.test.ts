import { expect, test } from "vitest";
import { formatBlock, freeBlock, parseBlock, parseRoutes } from "./address-block.ts";

test.each([
  ["10.211.7.9/24", "10.211.7.0/24"],
  ["192.168.1.5", "192.168.1.5/32"],
  ["10/8", "10.0.0.0/8"],
])("%s is the network %s", (text, block) => {
  const parsed = parseBlock(text);
  expect(parsed && formatBlock(parsed)).toBe(block);
});

test.each(["default", "fe80::/64", "", "dev"])("%j is no IPv4 network", (text) => {
  expect(parseBlock(text)).toBeUndefined();
});

const routes = `default via 192.0.2.1 dev eth0
192.0.2.0/24 dev eth0 proto kernel scope link src 192.0.2.2
10.200.0.0/16 dev tun0
unreachable 10.192.3.0/24
local 127.0.0.1 dev lo table local`;

test("a block that a route leads into is passed over, special routes included", () => {
  expect(formatBlock(freeBlock(parseRoutes(routes), 3) ?? { base: 0, prefix: 0 })).toBe("10.192.4.0/24");
  const inTunnel = (200 - 192) * 256;
  expect(formatBlock(freeBlock(parseRoutes(routes), inTunnel) ?? { base: 0, prefix: 0 })).toBe("10.201.0.0/24");
});

test("a machine whose routes take all of it has no block", () => {
  expect(freeBlock(parseRoutes("10.0.0.0/8 dev tun0"), 1)).toBeUndefined();
});
