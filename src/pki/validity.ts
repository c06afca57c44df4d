import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import type { KeyedCertificate } from "./certificate.ts";

/** Whether a certificate is for these hosts, signed by this CA, belongs to its key, and is good until `until` (ms since the epoch). */
export function isUsable(
  pair: KeyedCertificate,
  ca: Pick<KeyedCertificate, "certificate">,
  hosts: readonly string[],
  until: number,
): boolean {
  const certificate = new X509Certificate(pair.certificate);
  if (!certificate.checkPrivateKey(createPrivateKey(pair.key))) return false;
  if (!certificate.verify(createPublicKey(ca.certificate))) return false;
  if (Date.parse(certificate.validTo) < until) return false;
  return hosts.every((host) => (isIP(host) ? certificate.checkIP(host) : certificate.checkHost(host)) !== undefined);
}

/** When a PEM certificate ends, in milliseconds since the epoch. Throws on what is no certificate. */
export function expiryOf(certificate: string): number {
  return Date.parse(new X509Certificate(certificate).validTo);
}
