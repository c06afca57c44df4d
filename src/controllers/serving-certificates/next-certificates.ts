/** When the certificates of a controller are made anew: a pure decision, but for the keys it draws. */
import { joinBundles } from "../../pki/bundle.ts";
import { dayMs, issueCertificate, type KeyedCertificate } from "../../pki/certificate.ts";
import { expiryOf, isUsable } from "../../pki/validity.ts";

/** What the controllers of a cluster share. */
export interface ServingCertificates {
  /** Signs the serving certificate. */
  readonly authority: KeyedCertificate;
  /** Will sign it from `since` on; trusted already, so that nobody meets a certificate whose signer he does not know. */
  readonly next?: { readonly authority: KeyedCertificate; readonly since: number };
  readonly serving: KeyedCertificate;
  /** PEM bundle by which others know the serving certificate: of this, the next and former authorities. */
  readonly bundle: string;
}

const authorityDays = 1825;
const servingDays = 90;
/** Renewed with a third of its life left: a cluster that is off for a month finds it good. */
const renewServingMs = 30 * dayMs;
/** Longer than a serving certificate lives, so that none outlives who signed it. */
const renewAuthorityMs = 2 * servingDays * dayMs;
/** The bundle is everywhere within a minute; an hour lets an API server that was away catch up. */
export const trustFirstMs = 60 * 60_000;

/**
 * What is to be had at `now` for these hosts; the same object when nothing is to be done. An authority is replaced in
 * two steps an hour apart, trust first; what cannot be used at all is made anew at once.
 */
export function nextCertificates(
  current: ServingCertificates | undefined,
  hosts: readonly string[],
  now: number,
): ServingCertificates {
  if (!current || !isSound(current.authority, now)) return fresh(hosts, now);
  if (current.next && isSound(current.next.authority, now)) {
    const { authority, since } = current.next;
    if (now >= since || !isUsable(current.serving, current.authority, hosts, now))
      return { authority, serving: issueServing(authority, hosts, now), bundle: rest(current, now) };
    return current;
  }
  if (!isUsable(current.serving, current.authority, hosts, now + renewServingMs)) {
    const { authority } = current;
    return { ...current, serving: issueServing(authority, hosts, now), bundle: rest(current, now) };
  }
  if (expiryOf(current.authority.certificate) < now + renewAuthorityMs) {
    const authority = issueAuthority(now);
    const bundle = joinBundles([current.bundle, authority.certificate], now);
    return { ...current, next: { authority, since: now + trustFirstMs }, bundle };
  }
  return current;
}

/** The bundle without what has expired, with who signs now. */
const rest = ({ authority, next, bundle }: ServingCertificates, now: number): string =>
  joinBundles([bundle, authority.certificate, next?.authority.certificate ?? ""], now);

function fresh(hosts: readonly string[], now: number): ServingCertificates {
  const authority = issueAuthority(now);
  return { authority, serving: issueServing(authority, hosts, now), bundle: authority.certificate };
}

const issueAuthority = (now: number): KeyedCertificate =>
  issueCertificate({ commonName: "ebb-serving-ca", use: "ca", now, days: authorityDays });

const issueServing = (authority: KeyedCertificate, hosts: readonly string[], now: number): KeyedCertificate =>
  issueCertificate(
    { commonName: hosts[0] ?? "ebb-controller", use: "server", hosts, now, days: servingDays },
    authority,
  );

/** Whether it is an authority with its key, still good. */
const isSound = (authority: KeyedCertificate, now: number): boolean => isUsable(authority, authority, [], now);
