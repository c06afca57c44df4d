import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { dayMs, issueCertificate, type KeyedCertificate } from "../../pki/certificate.ts";
import { isUsable } from "../../pki/validity.ts";

/** The keys a server is known by. Made once and kept in the data directory. */
export interface Identity {
  readonly ca: KeyedCertificate;
  readonly server: KeyedCertificate;
  /** Client certificate of the user in the kubeconfig, a member of system:masters. */
  readonly admin: KeyedCertificate;
  /** Bearer token with the same rights, for clients that cannot do certificates. */
  readonly adminToken: string;
  /** PKCS 8 PEM of the P-256 key that signs ServiceAccount tokens. */
  readonly tokenKey: string;
}

export interface IdentityOptions {
  /** Absent: nothing is kept. */
  readonly directory?: string;
  /** Names and addresses clients may reach the server by. */
  readonly hosts: readonly string[];
  readonly now: number;
}

const caDays = 3650;
const leafDays = 365;
/** A leaf with less than this left is made anew. */
const renewMs = 30 * dayMs;

/** Reads the identity from its directory, making whatever is missing, about to expire or for other hosts. */
export function loadIdentity({ directory, hosts, now }: IdentityOptions): Identity {
  if (directory) mkdirSync(directory, { recursive: true, mode: 0o700 });
  const kept = <T>(name: string, usable: (value: T) => boolean, make: () => T): T => {
    const known = directory ? readJson<T>(join(directory, name)) : undefined;
    if (known !== undefined && usable(known)) return known;
    const made = make();
    if (directory) writeSecret(join(directory, name), JSON.stringify(made));
    return made;
  };
  const until = now + renewMs;
  const ca = kept<KeyedCertificate>(
    "ca.json",
    (pair) => isUsable(pair, pair, [], until),
    () => issueCertificate({ commonName: "ebb-ca", use: "ca", now, days: caDays }),
  );
  const server = kept<KeyedCertificate>(
    "server.json",
    (pair) => isUsable(pair, ca, hosts, until),
    () => issueCertificate({ commonName: "ebb-apiserver", use: "server", hosts, now, days: leafDays }, ca),
  );
  const admin = kept<KeyedCertificate>(
    "admin.json",
    (pair) => isUsable(pair, ca, [], until),
    () =>
      issueCertificate(
        { commonName: "kubernetes-admin", organizations: ["system:masters"], use: "client", now, days: leafDays },
        ca,
      ),
  );
  const always = (): boolean => true;
  const tokens = kept("tokens.json", always, () => ({
    adminToken: randomBytes(24).toString("base64url"),
    tokenKey: generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({
      type: "pkcs8",
      format: "pem",
    }) as string,
  }));
  return { ca, server, admin, ...tokens };
}

/** A damaged file counts as missing: everything but the CA can be made anew without anybody noticing. */
function readJson<T>(path: string): T | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as T;
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Never half-written, never readable by others. */
function writeSecret(path: string, text: string): void {
  writeFileSync(`${path}.new`, text, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}
