/**
 * Users as kube-apiserver vouches for them to servers behind it: a client certificate of its aggregation layer, and
 * headers. What to trust is in ConfigMap kube-system/extension-apiserver-authentication.
 */
import { X509Certificate } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { TLSSocket } from "node:tls";
import { ConfigMapKind } from "../api/core/kinds.ts";
import type { Client } from "../client/client.ts";
import type { Clock } from "../client/clock.ts";
import type { ReviewedUser } from "../client/review-access.ts";
import { splitBundle } from "../pki/bundle.ts";

interface Trust {
  readonly authorities: readonly X509Certificate[];
  /** Common names; empty: any. */
  readonly names: readonly string[];
  readonly userHeaders: readonly string[];
  readonly groupHeaders: readonly string[];
  readonly extraPrefixes: readonly string[];
}

const place = { namespace: "kube-system", name: "extension-apiserver-authentication" };
/** The authority may be renewed: it is looked up again after this. */
const freshMs = 60_000;
const clientAuth = "1.3.6.1.5.5.7.3.2";

/** Whom a request comes from; undefined when no front proxy that is trusted sent it. */
export type FrontProxy = (request: IncomingMessage) => Promise<ReviewedUser | undefined>;

export function createFrontProxy({ client, clock }: { readonly client: Client; readonly clock: Clock }): FrontProxy {
  let known: { readonly untilMs: number; readonly trust: Promise<Trust> } | undefined;
  const trusted = (): Promise<Trust> => {
    if (known && clock.steadyMs() < known.untilMs) return known.trust;
    const trust = client.get(ConfigMapKind, place).then(({ data = {} }) => trustOf(data));
    known = { untilMs: clock.steadyMs() + freshMs, trust };
    trust.catch(() => (known = undefined));
    return trust;
  };
  return async (request) => {
    const certificate = request.socket instanceof TLSSocket ? request.socket.getPeerX509Certificate() : undefined;
    if (!certificate) return undefined;
    const trust = await trusted();
    return isTrusted(certificate, trust, clock.now()) ? userOf(request, trust) : undefined;
  };
}

export function trustOf(data: Readonly<Record<string, string>>): Trust {
  const list = (key: string): readonly string[] => {
    const value: unknown = JSON.parse(data[`requestheader-${key}`] ?? "[]");
    return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
  };
  return {
    authorities: splitBundle(data["requestheader-client-ca-file"] ?? "").map((pem) => new X509Certificate(pem)),
    names: list("allowed-names"),
    userHeaders: list("username-headers"),
    groupHeaders: list("group-headers"),
    extraPrefixes: list("extra-headers-prefix"),
  };
}

/** The handshake has shown that the other end has the key; here, whose certificate it is. */
function isTrusted(certificate: X509Certificate, { authorities, names }: Trust, now: number): boolean {
  if (now < Date.parse(certificate.validFrom) || now > Date.parse(certificate.validTo)) return false;
  // Without extended usages a certificate is good for anything.
  const usages: readonly string[] | undefined = certificate.keyUsage;
  if (usages && usages.length > 0 && !usages.includes(clientAuth)) return false;
  const issued = authorities.some((ca) => certificate.checkIssued(ca) && certificate.verify(ca.publicKey));
  const commonName = /^CN=(.*)$/m.exec(certificate.subject)?.[1] ?? "";
  return issued && (names.length === 0 || names.includes(commonName));
}

function userOf({ headersDistinct }: IncomingMessage, trust: Trust): ReviewedUser | undefined {
  const valuesOf = (names: readonly string[]): readonly string[] =>
    names.flatMap((name) => headersDistinct[name.toLowerCase()] ?? []);
  const [name] = valuesOf(trust.userHeaders);
  if (name === undefined || name === "") return undefined;
  const extra: Record<string, readonly string[]> = {};
  for (const prefix of trust.extraPrefixes) {
    for (const [header, values = []] of Object.entries(headersDistinct)) {
      const key = header.startsWith(prefix.toLowerCase()) ? header.slice(prefix.length) : "";
      if (key !== "") extra[decodeURIComponent(key)] = values;
    }
  }
  return { name, groups: valuesOf(trust.groupHeaders), extra };
}
