import type { lookup } from "node:dns";
import { expect, test } from "vitest";
import { guardedLookup, refusedAddress, refusedUrl } from "./public-addresses.ts";

test.each([
  ["127.0.0.1", true, false],
  ["127.8.8.8", true, false],
  ["0.0.0.0", true, false],
  ["::1", true, false],
  ["::ffff:127.0.0.1", true, false],
  ["169.254.169.254", true, true],
  ["::ffff:169.254.169.254", true, true],
  ["fe80::1", true, true],
  ["fd00:ec2::254", true, true],
  ["100.100.100.200", true, true],
  ["10.0.0.7", false, false],
  ["93.184.216.34", false, false],
  ["2606:2800::1", false, false],
])("%s is refused to strangers: %s, and to this machine's users: %s", (address, strangers, users) => {
  expect(refusedAddress(address, { loopback: false }) !== undefined).toBe(strangers);
  expect(refusedAddress(address, { loopback: true }) !== undefined).toBe(users);
});

test.each([
  ["http://[::1]:80/", true],
  ["http://2130706433/", true],
  ["http://0x7f.1/", true],
  ["http://example.com/", false],
])("%s is refused by its text alone: %s", (url, refused) => {
  expect(refusedUrl(new URL(url), { loopback: false }) !== undefined).toBe(refused);
});

test("a name is refused for any of its addresses, when it is connected to", async () => {
  const found = (...addresses: string[]) =>
    ((_name: string, _options: object, done: (error: null, all: object[]) => void) =>
      done(
        null,
        addresses.map((address) => ({ address, family: 4 })),
      )) as unknown as typeof lookup;
  const ask = (...addresses: string[]): Promise<unknown> =>
    new Promise((resolve, reject) =>
      guardedLookup({ loopback: false }, found(...addresses))("x.test", {}, (error, address) =>
        error ? reject(error) : resolve(address),
      ),
    );
  expect(await ask("93.184.216.34")).toBe("93.184.216.34");
  await expect(ask("93.184.216.34", "127.0.0.1")).rejects.toThrow(
    "x.test may not be called back: 127.0.0.1 is this machine",
  );
});
