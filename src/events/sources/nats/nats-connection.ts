/** A connection to NATS as a source's settings have it. */
import {
  connect,
  credsAuthenticator,
  nkeyAuthenticator,
  type ConnectionOptions,
  type NatsConnection,
} from "@nats-io/transport-node";
import type { SourceContext } from "../source-reader.ts";

/** `NatsAuth` and `NatsTls` of src/api/sources/messages-ebb.ts with the values of their Secrets. */
export interface NatsSettings {
  readonly servers: readonly string[];
  readonly auth?: {
    readonly user?: string;
    readonly password?: string;
    readonly token?: string;
    readonly seed?: string;
    readonly credentials?: string;
  };
  readonly tls?: { readonly enable?: boolean; readonly caCert?: string; readonly cert?: string; readonly key?: string };
}

const utf8 = new TextEncoder();
const connectMs = 10_000;

/**
 * Connects, and keeps the source's state in line with the connection, which comes back by itself. Rejects with what to
 * check when there is none at first.
 */
export async function connectNats(settings: NatsSettings, context: SourceContext): Promise<NatsConnection> {
  let connection: NatsConnection;
  try {
    connection = await connect(optionsOf(settings, context));
  } catch (error) {
    throw new Error(whyRefused(settings, error), { cause: error });
  }
  void follow(connection, settings, context);
  return connection;
}

function optionsOf(
  { servers, auth = {}, tls = {} }: NatsSettings,
  { namespace, name }: SourceContext,
): ConnectionOptions {
  const urls = servers.map((server) => new URL(server));
  const isTls = (tls.enable ?? false) || tls.caCert !== undefined || urls.some(({ protocol }) => protocol === "tls:");
  return {
    servers: urls.map(({ host }) => host),
    name: `ebb ${namespace}/${name}`,
    timeout: connectMs,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 500,
    reconnectJitter: 500,
    ...(auth.user === undefined ? {} : { user: auth.user, pass: auth.password ?? "" }),
    ...(auth.token === undefined ? {} : { token: auth.token }),
    ...(auth.seed === undefined ? {} : { authenticator: nkeyAuthenticator(utf8.encode(auth.seed.trim())) }),
    ...(auth.credentials === undefined ? {} : { authenticator: credsAuthenticator(utf8.encode(auth.credentials)) }),
    ...(isTls
      ? {
          tls: {
            ...(tls.caCert === undefined ? {} : { ca: tls.caCert }),
            ...(tls.cert === undefined ? {} : { cert: tls.cert }),
            ...(tls.key === undefined ? {} : { key: tls.key }),
          },
        }
      : {}),
  };
}

async function follow(connection: NatsConnection, settings: NatsSettings, context: SourceContext): Promise<void> {
  for await (const status of connection.status()) {
    if (status.type === "disconnect" || status.type === "staleConnection")
      context.report({ connected: false, trouble: `the connection to ${at(settings)} was lost; trying again` });
    if (status.type === "reconnect") context.report({ connected: true });
    if (status.type === "error") context.log.warn("NATS complains", { reason: status.error.message });
  }
  const error = await connection.closed();
  if (!context.signal.aborted)
    context.failed(new Error(error ? whyRefused(settings, error) : `the connection to ${at(settings)} was closed`));
}

const at = ({ servers }: NatsSettings): string => servers.map((server) => URL.parse(server)?.host ?? server).join(", ");

function whyRefused(settings: NatsSettings, error: unknown): string {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  const code = codeOf(error);
  if (name === "AuthorizationError" || name === "UserAuthenticationExpiredError" || /authorization/i.test(message))
    return `NATS at ${at(settings)} refused the login (${message}): check spec.auth`;
  if (code === "ECONNREFUSED" || code === "ENOTFOUND" || code === "EHOSTUNREACH" || code === "ETIMEDOUT")
    return `NATS at ${at(settings)} cannot be reached (${code}): check spec.servers`;
  if (/certificate|self.signed|tls|ssl/i.test(`${message} ${code}`))
    return `no encrypted connection to NATS at ${at(settings)}: ${message}; check spec.tls and its caCert`;
  return `no connection to NATS at ${at(settings)}: ${message}`;
}

/** Of the error or of what caused it. */
function codeOf(error: unknown): string {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    const { code } = at as { readonly code?: unknown };
    if (typeof code === "string") return code;
  }
  const text = error instanceof Error ? error.message : "";
  return /\b(E[A-Z]{4,})\b/.exec(text)?.[1] ?? "";
}
