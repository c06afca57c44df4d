/** How a NATS server is logged in to. */
import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { checkServerIdentity } from "node:tls";
import {
  credsAuthenticator,
  nkeyAuthenticator,
  tokenAuthenticator,
  usernamePasswordAuthenticator,
  type Authenticator,
  type ConnectionOptions,
} from "@nats-io/transport-node";

/** Files are read at every connection, so that what is put in their place counts from the next one on. */
export interface NatsAccess {
  readonly user?: string;
  readonly password?: string;
  readonly passwordFile?: string;
  readonly tokenFile?: string;
  /** A `.creds` file: JWT and seed of a user. */
  readonly credsFile?: string;
  /** The seed of an nkey. */
  readonly nkeyFile?: string;
  /** Only over TLS; with files in PEM, by the system's CAs without `caFile`. */
  readonly tls?: { readonly caFile?: string; readonly certFile?: string; readonly keyFile?: string };
}

/** Throws where a file cannot be read, with what it is for. */
export function accessOptions(access: NatsAccess, hosts: readonly string[]): Partial<ConnectionOptions> {
  const { tls, passwordFile, tokenFile, credsFile, nkeyFile } = access;
  const files = { password: passwordFile, token: tokenFile, creds: credsFile, nkey: nkeyFile };
  const tlsFiles = { ca: tls?.caFile, cert: tls?.certFile, key: tls?.keyFile };
  for (const [name, file] of Object.entries({ ...files, ...tlsFiles })) if (file !== undefined) readFor(name, file);
  const authenticator = authenticatorOf(access);
  return {
    ...(authenticator ? { authenticator } : {}),
    ...(tls ? { tls: { ...tls, ...identityCheck(hosts) } } : {}),
  };
}

/**
 * The client passes no name on for a server that is given by its address, and Node then takes it for "localhost". So a
 * certificate without that name must be one of an address that was given.
 */
function identityCheck(hosts: readonly string[]): { readonly checkServerIdentity: typeof checkServerIdentity } {
  const addresses = hosts
    .map((host) => host.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1"))
    .filter((host) => isIP(host));
  return {
    checkServerIdentity: (name, certificate) => {
      const wrong = checkServerIdentity(name, certificate);
      const fits = addresses.some((address) => checkServerIdentity(address, certificate) === undefined);
      return wrong && name === "localhost" && fits ? undefined : wrong;
    },
  };
}

function authenticatorOf(access: NatsAccess): Authenticator | undefined {
  const { user, password = "", passwordFile, tokenFile, credsFile, nkeyFile } = access;
  if (credsFile !== undefined) return credsAuthenticator(() => readFor("creds", credsFile));
  if (nkeyFile !== undefined) return nkeyAuthenticator(() => Buffer.from(lineOf("nkey", nkeyFile)));
  if (tokenFile !== undefined) return tokenAuthenticator(() => lineOf("token", tokenFile));
  if (user === undefined) return undefined;
  return usernamePasswordAuthenticator(user, () =>
    passwordFile === undefined ? password : lineOf("password", passwordFile),
  );
}

const lineOf = (name: string, file: string): string => readFor(name, file).toString("utf8").trim();

function readFor(name: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new Error(`its ${name} file ${file} cannot be read: ${(cause as Error).message}`, { cause });
  }
}
