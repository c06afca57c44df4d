import { createHash, X509Certificate } from "node:crypto";

const block = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The certificates of a PEM bundle, each PEM with a newline at its end. Text around them is left out. */
export function splitBundle(bundle: string): readonly string[] {
  return (bundle.match(block) ?? []).map((pem) => `${pem}\n`);
}

/**
 * One PEM bundle of all certificates in these, in order, each once. What has expired by `now` is left out: a bundle that
 * only ever grows would trust keys for ever. A block that cannot be read is left out as well, so that what somebody
 * wrote into a bundle by hand never stops a rotation.
 */
export function joinBundles(bundles: readonly string[], now: number): string {
  const seen = new Set<string>();
  const kept: string[] = [];
  for (const pem of bundles.flatMap(splitBundle)) {
    const certificate = parse(pem);
    if (!certificate || Date.parse(certificate.validTo) <= now || seen.has(certificate.fingerprint256)) continue;
    seen.add(certificate.fingerprint256);
    kept.push(pem);
  }
  return kept.join("");
}

/** Whether every certificate of `bundle` is in `within`. */
export function isWithin(bundle: string, within: string): boolean {
  const there = new Set(splitBundle(within).map(digest));
  return splitBundle(bundle).every((pem) => there.has(digest(pem)));
}

function parse(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

/** Of the encoded bytes: line lengths of a PEM mean nothing. */
const digest = (pem: string): string =>
  createHash("sha256")
    .update(Buffer.from(pem.replace(/-----[^-]+-----/g, ""), "base64"))
    .digest("hex");
