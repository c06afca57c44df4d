/** A RabbitmqSource's spec as the client's options, and the client's errors in words for who wrote the spec. */
import type { Options, SocketOptions } from "amqplib";

/** `RabbitmqSourceSpec` of src/api/sources/messages-v1alpha1.ts with what the Secret says as `connection`. */
export interface RabbitmqSettings {
  readonly rabbitmqClusterReference?: { readonly name?: string; readonly namespace?: string };
  readonly rabbitmqResourcesConfig: {
    readonly vhost?: string;
    readonly queueName: string;
    readonly queueType?: "quorum" | "classic";
    readonly exchangeName?: string;
    readonly parallelism?: number;
    readonly predeclared?: boolean;
  };
  readonly connection: {
    /** `amqp://…`, `amqps://…` or `host:port`. */
    readonly uri?: string;
    readonly host?: string;
    readonly port?: string;
    readonly username?: string;
    readonly password?: string;
    readonly caCert?: string;
    readonly cert?: string;
    readonly key?: string;
  };
}

export interface RabbitmqAddress {
  readonly url: Options.Connect;
  readonly socket: SocketOptions;
  /** `host:port`, for people. */
  readonly at: string;
}

const heartbeatS = 10;
const connectMs = 10_000;

/** Throws for an address that is none. */
export function addressOf(settings: RabbitmqSettings, connectionName: string): RabbitmqAddress {
  const { connection, rabbitmqResourcesConfig: config } = settings;
  const url = urlOf(settings);
  const isTls = url.protocol === "amqps:";
  const port = url.port === "" ? (isTls ? 5671 : 5672) : Number(url.port);
  const hostname = url.hostname.replace(/^\[|\]$/g, "");
  const inPath = decodeURIComponent(url.pathname.slice(1));
  const { caCert, cert, key } = connection;
  return {
    at: `${url.hostname}:${port}`,
    url: {
      protocol: isTls ? "amqps" : "amqp",
      hostname,
      port,
      username: connection.username ?? decodeURIComponent(url.username || "guest"),
      password: connection.password ?? decodeURIComponent(url.password || "guest"),
      // The client decodes it.
      vhost: encodeURIComponent(config.vhost || inPath || "/"),
      heartbeat: heartbeatS,
    },
    socket: {
      timeout: connectMs,
      noDelay: true,
      clientProperties: { connection_name: connectionName },
      ...(isTls && caCert ? { ca: [Buffer.from(caCert)] } : {}),
      ...(isTls && cert ? { cert: Buffer.from(cert) } : {}),
      ...(isTls && key ? { key: Buffer.from(key) } : {}),
    },
  };
}

function urlOf({ connection: { uri, host, port }, rabbitmqClusterReference: cluster }: RabbitmqSettings): URL {
  const named = host ?? `${cluster?.name ?? ""}.${cluster?.namespace ?? "default"}.svc`;
  const text = uri?.trim() ?? (port === undefined ? named : `${named}:${port}`);
  const url = URL.parse(/^amqps?:\/\//.test(text) ? text : `amqp://${text}`);
  if (!url || url.hostname === "")
    throw new Error(
      "the connection Secret's uri is no address: it must be like amqp://host:5672, amqps://host or host:5672",
    );
  return url;
}

/** What went wrong, and what to do about it. */
export function explain(at: string, { rabbitmqResourcesConfig: config }: RabbitmqSettings, error: unknown): string {
  const { message } = error instanceof Error ? error : new Error(String(error));
  const { code } = (error ?? {}) as { readonly code?: unknown };
  const text = message === "" ? String(code) : message;
  if (/ACCESS.REFUSED.*(login|auth)|403.*login|Handshake terminated/i.test(text))
    return `RabbitMQ at ${at} refused the login: check username and password in the connection Secret`;
  // Of a virtual host that is refused the client tells no more than this.
  if (/ACCESS.REFUSED|NOT_ALLOWED|Expected ConnectionOpenOk/i.test(text))
    return `RabbitMQ at ${at} does not allow it: give the user access to the virtual host "${config.vhost || "/"}" and its queue`;
  if (/NOT.FOUND/i.test(text) && config.predeclared)
    return `there is no queue "${config.queueName}" in RabbitMQ: create it, or set predeclared to false to have it made`;
  if (/certificate|self.signed|EPROTO|wrong version|ssl|tls/i.test(`${text} ${String(code)}`))
    return `no encrypted connection to RabbitMQ at ${at}: ${text}; check ca.crt in the connection Secret`;
  if (
    /ECONNREFUSED|ENOTFOUND|EHOSTUNREACH|ETIMEDOUT|EAI_AGAIN|ECONNRESET|Socket closed|CONNECTION.FORCED/.test(
      `${text} ${String(code)}`,
    )
  )
    return `RabbitMQ at ${at} cannot be reached (${text}): check uri in the connection Secret`;
  return `RabbitMQ at ${at}: ${text}`;
}
