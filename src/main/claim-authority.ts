/** The authority by which waiting pods know who may claim them. */
import { SecretKind } from "../api/core/kinds.ts";
import type { Secret } from "../api/core/types.gen.ts";
import { isAlreadyExists, isNotFound } from "../api/meta/errors.ts";
import type { Draft } from "../api/meta/object.ts";
import type { Client } from "../client/client.ts";
import { claimerName } from "../functions/hosts/protocol.ts";
import { claimAuthoritySecret } from "../install/names.ts";
import type { HostRecord } from "../node/warm-pods/known-hosts.ts";
import { dayMs, issueCertificate, type KeyedCertificate } from "../pki/certificate.ts";
import { expiryOf } from "../pki/validity.ts";

export interface ClaimAuthority {
  /** What pods are told to trust. */
  readonly ca: string;
  /** For this process alone, gone with it. */
  readonly claimer: KeyedCertificate;
}

const caDays = 3650;
/** Renewed this long before it ends. Pods that trust the former are replaced. */
const renewBeforeMs = 365 * dayMs;

const hostsKey = "hosts";

/** Where leaders write down the hosts they have come to know: beside the authority by which those know them. */
export function claimRecord(
  client: Pick<Client, "get" | "patch">,
  namespace: string,
): { read(): Promise<HostRecord>; write(record: HostRecord): Promise<void> } {
  const key = { namespace, name: claimAuthoritySecret };
  return {
    async read() {
      const { data = {} } = await client.get(SecretKind, key);
      const text = Buffer.from(data[hostsKey] ?? "", "base64").toString();
      return text === "" ? {} : (JSON.parse(text) as HostRecord);
    },
    async write(record) {
      const data = { [hostsKey]: Buffer.from(JSON.stringify(record)).toString("base64") };
      await client.patch(SecretKind, key, { type: "merge", body: { data } });
    },
  };
}

/** The authority there is, or a new one, and a claimer's certificate of it. */
export async function openClaimAuthority(
  client: Pick<Client, "get" | "create" | "patch">,
  namespace: string,
  now: number,
): Promise<ClaimAuthority> {
  const ca = (await read(client, namespace, now)) ?? (await make(client, namespace, now));
  const claimer = issueCertificate({ commonName: claimerName, use: "client", now, days: caDays }, ca);
  return { ca: ca.certificate, claimer };
}

async function read(
  client: Pick<Client, "get">,
  namespace: string,
  now: number,
): Promise<KeyedCertificate | undefined> {
  try {
    const { data = {} } = await client.get(SecretKind, { namespace, name: claimAuthoritySecret });
    const [certificate, key] = ["ca.crt", "ca.key"].map((name) => Buffer.from(data[name] ?? "", "base64").toString());
    if (!certificate || !key) return undefined;
    return expiryOf(certificate) - renewBeforeMs > now ? { certificate, key } : undefined;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

async function make(
  client: Pick<Client, "get" | "create" | "patch">,
  namespace: string,
  now: number,
): Promise<KeyedCertificate> {
  const made = issueCertificate({ commonName: "ebb claim authority", use: "ca", now, days: caDays });
  const encode = (text: string): string => Buffer.from(text).toString("base64");
  const data = { "ca.crt": encode(made.certificate), "ca.key": encode(made.key) };
  const metadata = { name: claimAuthoritySecret, namespace };
  try {
    await client.create(SecretKind, { metadata, type: "Opaque", data } as Draft<Secret>);
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    // There is one that has run out: the only one who leads may replace it.
    await client.patch(SecretKind, metadata, { type: "merge", body: { data } });
  }
  return made;
}
