import { expect, test } from "vitest";
import { isWithin, splitBundle } from "../../pki/bundle.ts";
import { dayMs, issueCertificate } from "../../pki/certificate.ts";
import { expiryOf, isUsable } from "../../pki/validity.ts";
import { fromSecret, toSecret } from "./certificate-secret.ts";
import { nextCertificates, trustFirstMs, type ServingCertificates } from "./next-certificates.ts";

const hosts = ["ebb-controller.ebb-system.svc", "127.0.0.1"];
const start = Date.UTC(2030, 0, 1);

/** Whether somebody who trusts the bundle accepts what is served. */
const isTrusted = ({ serving, bundle }: ServingCertificates, now: number): boolean =>
  splitBundle(bundle).some((certificate) => isUsable(serving, { certificate }, hosts, now));

test("makes an authority and a serving certificate where there is none, and then leaves them", () => {
  const made = nextCertificates(undefined, hosts, start);
  expect(isTrusted(made, start)).toBe(true);
  expect(nextCertificates(made, hosts, start + 59 * dayMs)).toBe(made);
});

test("renews the serving certificate a month before it ends, by the same authority", () => {
  const made = nextCertificates(undefined, hosts, start);
  const now = start + 61 * dayMs;
  const renewed = nextCertificates(made, hosts, now);
  expect(renewed.serving).not.toEqual(made.serving);
  expect(renewed.bundle).toBe(made.bundle);
  expect(isTrusted(renewed, now)).toBe(true);
});

test("renews the serving certificate when it is for other hosts, or damaged", () => {
  const made = nextCertificates(undefined, hosts, start);
  expect(nextCertificates(made, ["other"], start).serving).not.toEqual(made.serving);
  const foreign = issueCertificate({ commonName: "x", use: "server", hosts, now: start, days: 90 });
  const mended = nextCertificates({ ...made, serving: foreign }, hosts, start);
  expect(isTrusted(mended, start)).toBe(true);
});

test("over twenty years, no caller who looked an hour ago meets a certificate it does not trust", () => {
  let current = nextCertificates(undefined, hosts, start);
  let authorities = 1;
  let trusted = current.bundle;
  for (let now = start; now < start + 7300 * dayMs; now += 5 * dayMs) {
    const before = current.authority;
    // One look after another, an hour apart, as slow as callers may be.
    for (const at of [now, now + trustFirstMs]) {
      const next = nextCertificates(current, hosts, at);
      expect(splitBundle(trusted).some((certificate) => isUsable(next.serving, { certificate }, hosts, at))).toBe(true);
      trusted = next.bundle;
      current = next;
    }
    if (current.authority !== before) authorities += 1;
    expect(splitBundle(current.bundle).length).toBeLessThanOrEqual(3);
  }
  expect(authorities).toBeGreaterThanOrEqual(4);
});

test("makes everything anew at once when the authority has expired", () => {
  const made = nextCertificates(undefined, hosts, start);
  const now = expiryOf(made.authority.certificate) + 1;
  const fresh = nextCertificates(made, hosts, now);
  expect(isWithin(made.bundle, fresh.bundle)).toBe(false);
  expect(isTrusted(fresh, now)).toBe(true);
});

test("a Secret holds everything, and one that is damaged counts as none", () => {
  const made = nextCertificates(undefined, hosts, start);
  const authority = issueCertificate({ commonName: "next", use: "ca", now: start, days: 9 });
  const whole = { ...made, next: { authority, since: start } };
  const secret = toSecret(whole, { namespace: "n", name: "s" });
  expect(fromSecret(secret)).toEqual(whole);
  expect(fromSecret({ data: {} })).toBe(undefined);
  expect(fromSecret({ data: { ...secret.data, "tls.key": Buffer.from("nonsense").toString("base64") } })).toBe(
    undefined,
  );
});
