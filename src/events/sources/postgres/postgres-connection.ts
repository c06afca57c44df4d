/** Connections to PostgreSQL as a source's settings have them. */
import { Client, type ClientConfig } from "pg";
import type { PostgresSourceSpec } from "../../../api/sources/types-stores.gen.ts";
import type { Resolved } from "../resolved-settings.ts";

export type PostgresSettings = Resolved<PostgresSourceSpec> & { readonly url: string };

const connectMs = 10_000;
const keepAliveMs = 10_000;

/** What pg knows of the connection below, and its types do not: for replication, and for holding a sender back. */
interface WireConnection {
  readonly stream: { pause(): void; resume(): void };
  on(event: "copyData", listener: (message: { readonly chunk: Buffer }) => void): void;
  once(event: "replicationStart", listener: () => void): void;
  sendCopyFromChunk(chunk: Buffer): void;
}

export const wireOf = (client: Client): WireConnection =>
  (client as unknown as { readonly connection: WireConnection }).connection;

/** Connects; `lost` is called once when the open connection ends by itself. Rejects with what to check. */
export async function connectPostgres(
  settings: PostgresSettings,
  {
    name,
    replication,
    lost,
  }: { readonly name: string; readonly replication?: boolean; readonly lost: (error: Error) => void },
): Promise<Client> {
  const more = { application_name: name, ...(replication ? { replication: "database" } : {}) };
  const client = new Client({ ...configOf(settings), ...more });
  let isOpen = false;
  const end = (error: unknown): void => {
    if (!isOpen) return;
    isOpen = false;
    lost(explained(settings, error));
  };
  client.on("error", end);
  client.on("end", () => end(new Error("the server closed it")));
  try {
    await client.connect();
  } catch (error) {
    void client.end().catch(() => undefined);
    throw explained(settings, error);
  }
  isOpen = true;
  return client;
}

/** The URL taken apart: what it says of TLS must not outdo `tls`. */
function configOf({ url, username, password, tls }: PostgresSettings): ClientConfig {
  const parsed = new URL(url);
  const user = username || decodeURIComponent(parsed.username);
  const database = decodeURIComponent(parsed.pathname.slice(1));
  const mode = parsed.searchParams.get("sslmode");
  const isTls = tls !== undefined || mode === "require" || mode === "verify-ca" || mode === "verify-full";
  const { caCert, cert, key, skipVerify = false } = tls ?? {};
  return {
    host: parsed.hostname.replace(/^\[|\]$/g, ""),
    port: Number(parsed.port || 5432),
    ...(user ? { user } : {}),
    ...(database ? { database } : {}),
    ...(password === undefined ? {} : { password }),
    keepAlive: true,
    keepAliveInitialDelayMillis: keepAliveMs,
    connectionTimeoutMillis: connectMs,
    ssl: isTls && {
      rejectUnauthorized: !skipVerify,
      ...(caCert === undefined ? {} : { ca: caCert }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    },
  };
}

/** SQLSTATE classes and codes that say what to do (PostgreSQL, appendix A). */
const invalidAuthorization = /^28/;
const noSuchDatabase = "3D000";

function explained({ url }: PostgresSettings, error: unknown): Error {
  const at = `PostgreSQL at ${new URL(url).host}`;
  const { message = "", code = "" } = error as { readonly message?: string; readonly code?: string };
  const text = message || code || String(error);
  const told = (why: string): Error => new Error(why, { cause: error });
  if (invalidAuthorization.test(code) || /SASL|password must be a string/.test(text))
    return told(`${at} refused the login (${text}): check spec.username and spec.password`);
  if (code === noSuchDatabase) return told(`${at}: ${text}; check spec.url`);
  if (/ECONNREFUSED|ENOTFOUND|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|timeout expired/.test(`${text} ${code}`))
    return told(`${at} cannot be reached (${text}): check spec.url`);
  if (/certificate|self.signed|SSL|TLS/i.test(`${text} ${code}`))
    return told(`no encrypted connection to ${at}: ${text}; check spec.tls and its caCert`);
  return told(`the connection to ${at} was lost: ${text}`);
}

export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** `schema.table` or `table`, each part quoted. */
export const quotedTable = (name: string): string => name.split(".").map(quoted).join(".");
