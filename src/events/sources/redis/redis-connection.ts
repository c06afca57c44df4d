/** Connections to Redis as a source's settings have them. */
import { createClient, RESP_TYPES } from "@redis/client";
import type { RedisDialOptions } from "../../../api/sources/types-stores.gen.ts";
import type { Resolved } from "../resolved-settings.ts";

export interface RedisSettings {
  readonly address: string;
  readonly dialOptions?: Resolved<RedisDialOptions>;
}

/** What Redis answers: texts as the bytes they are. */
export type Reply = Buffer | number | null | readonly Reply[];

export interface RedisConnection {
  /** Rejects with what Redis says is wrong, or that the connection is gone. */
  run(command: string, ...args: readonly (string | number | Buffer)[]): Promise<Reply>;
  /** Ends it at once; what is under way rejects. */
  destroy(): void;
}

const connectMs = 10_000;
const pingMs = 5000;
/** Longer than any command that waits, and than the time between two pings. */
const silenceMs = 20_000;
/** Commands that wait for something to come do so for that long. */
export const blockMs = 5000;

/** `lost` is called once when an open connection ends by itself. Rejects with what to check when there is none. */
export async function connectRedis(
  settings: RedisSettings,
  { name, lost }: { readonly name: string; readonly lost: (error: Error) => void },
): Promise<RedisConnection> {
  const client = createClient({ ...optionsOf(settings), name });
  let isOpen = false;
  let isOver = false;
  const end = (error: unknown): void => {
    if (isOpen && !isOver) lost(new Error(whyNot(settings, error), { cause: error }));
    isOver = true;
  };
  client.on("error", end);
  client.on("end", () => end(new Error("it was closed by Redis")));
  try {
    await client.connect();
  } catch (error) {
    client.destroy();
    throw new Error(whyNot(settings, error), { cause: error });
  }
  isOpen = true;
  return {
    async run(command, ...args) {
      const words = [command, ...args.map((arg) => (typeof arg === "number" ? String(arg) : arg))];
      return client.sendCommand<Reply>(words, { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } });
    },
    destroy() {
      isOver = true;
      if (client.isOpen) client.destroy();
    },
  };
}

function optionsOf({ address, dialOptions = {} }: RedisSettings): NonNullable<Parameters<typeof createClient>[0]> {
  const url = new URL(address);
  const { username = decodeURIComponent(url.username), password } = dialOptions;
  const database = Number(url.pathname.slice(1) || "0");
  const common = {
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: Number(url.port || 6379),
    connectTimeout: connectMs,
    socketTimeout: silenceMs,
    // It is opened anew as a whole: nothing is sent twice without anybody knowing.
    reconnectStrategy: false,
  } as const;
  const isTls = url.protocol === "rediss:" || dialOptions.useTLS === true || dialOptions.caCert !== undefined;
  return {
    RESP: 2,
    pingInterval: pingMs,
    disableOfflineQueue: true,
    ...(username ? { username } : {}),
    ...(password === undefined ? {} : { password }),
    ...(database > 0 ? { database } : {}),
    socket: isTls ? { ...common, tls: true, ...tlsOf(dialOptions, common.host) } : common,
  };
}

const tlsOf = ({ caCert, cert, key, skipVerify }: Resolved<RedisDialOptions>, host: string) => ({
  ...(/[a-z]/i.test(host) && !host.includes(":") ? { servername: host } : {}),
  ...(caCert === undefined ? {} : { ca: caCert }),
  ...(cert === undefined ? {} : { cert }),
  ...(key === undefined ? {} : { key }),
  ...(skipVerify ? { rejectUnauthorized: false } : {}),
});

function whyNot({ address }: RedisSettings, error: unknown): string {
  const at = `Redis at ${new URL(address).host}`;
  const { message, code } = error as { readonly message?: string; readonly code?: string };
  const text = message || code || String(error);
  if (/^(WRONGPASS|NOAUTH|NOPERM)|AUTH|invalid (password|username)/i.test(text))
    return `${at} refused the login (${text}): check spec.dialOptions.username and password`;
  if (/ECONNREFUSED|ENOTFOUND|EHOSTUNREACH|ENETUNREACH|timeout/i.test(`${text} ${code ?? ""}`))
    return `${at} cannot be reached (${text}): check spec.address`;
  if (/certificate|self.signed|ssl|tls/i.test(text))
    return `no encrypted connection to ${at}: ${text}; check spec.dialOptions.caCert`;
  return `the connection to ${at} was lost: ${text}`;
}

/** What Redis said to a command, with the place it is about. */
export const redisComplaint = (error: unknown, what: string): Error =>
  new Error(`${what}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
