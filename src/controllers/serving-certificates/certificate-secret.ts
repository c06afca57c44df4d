import type { Secret } from "../../api/core/types.gen.ts";
import type { Draft } from "../../api/meta/object.ts";
import type { KeyedCertificate } from "../../pki/certificate.ts";
import { isUsable } from "../../pki/validity.ts";
import type { ServingCertificates } from "./next-certificates.ts";

/** `tls.crt` and `tls.key` are where tools look for a serving certificate, `ca.crt` where they look for whom to trust. */
const fields = {
  serving: ["tls.crt", "tls.key"],
  authority: ["authority.crt", "authority.key"],
  next: ["next-authority.crt", "next-authority.key"],
} as const;

/** The Secret in which controllers keep their certificates. */
export function toSecret(
  certificates: ServingCertificates,
  key: { readonly namespace: string; readonly name: string },
): Draft<Secret> {
  const { serving, authority, next, bundle } = certificates;
  const texts: Record<string, string> = { "ca.crt": bundle };
  const put = ([certificate, secret]: readonly [string, string], pair: KeyedCertificate): void => {
    texts[certificate] = pair.certificate;
    texts[secret] = pair.key;
  };
  put(fields.serving, serving);
  put(fields.authority, authority);
  if (next) {
    put(fields.next, next.authority);
    texts["next-authority.since"] = new Date(next.since).toISOString();
  }
  const data = Object.fromEntries(
    Object.entries(texts).map(([name, text]) => [name, Buffer.from(text).toString("base64")]),
  );
  return { metadata: { ...key, labels: { "app.kubernetes.io/part-of": "ebb" } }, type: "kubernetes.io/tls", data };
}

/** What a Secret holds; undefined when it is not whole or cannot be read, so that everything is made anew. */
export function fromSecret({ data = {} }: Pick<Secret, "data">): ServingCertificates | undefined {
  const text = (name: string): string => Buffer.from(data[name] ?? "", "base64").toString("utf8");
  const pair = ([certificate, key]: readonly [string, string]): KeyedCertificate | undefined => {
    const read = { certificate: text(certificate), key: text(key) };
    return read.certificate === "" || read.key === "" ? undefined : read;
  };
  const [serving, authority, next] = [pair(fields.serving), pair(fields.authority), pair(fields.next)];
  const bundle = text("ca.crt");
  if (!serving || !authority || bundle === "") return undefined;
  if (![serving, authority, ...(next ? [next] : [])].every(isReadable)) return undefined;
  const since = Date.parse(text("next-authority.since"));
  return {
    serving,
    authority,
    bundle,
    ...(next && Number.isFinite(since) ? { next: { authority: next, since } } : {}),
  };
}

function isReadable(pair: KeyedCertificate): boolean {
  try {
    isUsable(pair, pair, [], 0);
    return true;
  } catch {
    return false;
  }
}
