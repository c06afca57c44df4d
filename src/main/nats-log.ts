/**
 * The event log in NATS JetStream, by a URL: `nats://user@host:4222,host2:4222?replicas=3&monitor=http://host:8222`.
 * What must stay secret is in files that parameters name.
 */
import type { Clock } from "../client/clock.ts";
import type { JetStreamLog, JetStreamOptions } from "../events/log/jetstream-store.ts";
import type { NatsAccess } from "../events/log/nats-access.ts";
import type { Logger } from "../telemetry/logger.ts";

/** What may follow the servers. Files: password, token, creds, nkey, ca, cert, key. */
const parameters = "replicas monitor ephemeral password token creds nkey ca cert key".split(" ");

/** Throws with what such a URL looks like, or with the parameter that is wrong; never with a password. */
export function parseNatsUrl(text: string): JetStreamOptions {
  const [, scheme = "", login = "", hosts = "", search = ""] =
    /^(nats|tls):\/\/(?:([^@/?]*)@)?([^@/?]+)\/?(?:\?(.*))?$/.exec(text) ?? [];
  const servers = hosts.split(",").map((host) => `nats://${host}`);
  if (scheme === "" || servers.some((server) => !URL.canParse(server)))
    throw new Error(`--events must be a URL like nats://127.0.0.1:4222, not "${withoutPassword(text)}"`);
  const given = new URLSearchParams(search);
  for (const name of given.keys())
    if (!parameters.includes(name))
      throw new Error(`--events knows no parameter "${name}"; there are ${parameters.join(", ")}`);
  const [replicas, monitorUrl] = [Number(given.get("replicas") ?? 1), given.get("monitor")];
  if (replicas !== 1 && replicas !== 3 && replicas !== 5)
    throw new Error(`replicas of --events must be 1, 3 or 5, not "${given.get("replicas")}"`);
  for (const url of monitorUrl?.split(",") ?? [])
    if (!URL.canParse(url)) throw new Error(`monitor of --events must be a URL like http://host:8222, not "${url}"`);
  return {
    servers: servers.join(","),
    access: accessOf(login, given, scheme === "tls"),
    replicas,
    ...(monitorUrl === null ? {} : { monitorUrl }),
    ...(given.get("ephemeral") === "true" ? { ephemeral: true } : {}),
  };
}

function accessOf(login: string, given: URLSearchParams, isTls: boolean): NatsAccess {
  const file = <K extends keyof NatsAccess | "caFile" | "certFile" | "keyFile">(key: K, name: string) => {
    const path = given.get(name);
    return (path === null ? {} : { [key]: path }) as { readonly [P in K]?: string };
  };
  if (given.has("cert") !== given.has("key"))
    throw new Error("--events needs both cert= and key= for a client's certificate");
  const ways = ["creds", "nkey", "token"].filter((name) => given.has(name));
  if (login !== "") ways.push("a user");
  if (ways.length > 1) throw new Error(`--events names ${ways.join(" and ")}: choose one way to log in`);
  const [user = "", password] = login.split(":", 2).map(decodeURIComponent);
  const tls = { ...file("caFile", "ca"), ...file("certFile", "cert"), ...file("keyFile", "key") };
  return {
    ...(user === "" ? {} : { user }),
    ...(password === undefined ? {} : { password }),
    ...file("passwordFile", "password"),
    ...file("tokenFile", "token"),
    ...file("credsFile", "creds"),
    ...file("nkeyFile", "nkey"),
    ...(isTls || Object.keys(tls).length > 0 ? { tls } : {}),
  };
}

const withoutPassword = (text: string): string => text.replace(/:\/\/([^@/?]*?):[^@/?]*@/, "://$1:…@");

/** Files of this machine that it is opened with. */
export const namedFiles = ({ access = {} }: JetStreamOptions): readonly string[] =>
  [access.passwordFile, access.tokenFile, access.credsFile, access.nkeyFile, ...Object.values(access.tls ?? {})].filter(
    (file) => file !== undefined,
  );

/** The client of NATS is loaded only where there is one. Rejects with what to check. */
export async function openNatsLog(
  options: JetStreamOptions,
  deps: { readonly clock: Clock; readonly log: Logger },
): Promise<JetStreamLog> {
  const host = options.servers.replaceAll("nats://", "");
  const { openJetStreamStore } = await import("../events/log/jetstream-store.ts");
  try {
    const store = await openJetStreamStore(options, deps);
    if (store.durability === "process")
      deps.log.warn(
        "the NATS server is not known to sync to disk before it acknowledges: a power loss may lose the last two minutes of events. Set sync_interval: always, and say where it tells so with ?monitor=http://host:8222",
        { server: host },
      );
    return store;
  } catch (error) {
    throw new Error(`cannot keep events in NATS at ${host}: ${whyNot(error, options)}`, { cause: error });
  }
}

/** What the client says, and what to look at. */
function whyNot(error: unknown, { replicas, access }: JetStreamOptions): string {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  const { code } = (error ?? {}) as { readonly code?: unknown };
  if (message.startsWith("its ")) return message;
  if (/authorization|authentication/i.test(`${name} ${message}`))
    return `it refused the login (${message}); check the user and password=, token=, creds= or nkey=`;
  if (/certificate|self.signed|tls|ssl/i.test(message)) return `no TLS with it: ${message}; check ca=, cert= and key=`;
  // With TLS 1.3 a server that misses a certificate hangs up after the client took the handshake for done.
  if (message === "timeout" && access?.tls && access.tls.certFile === undefined)
    return "it did not answer over TLS; does it want a client's certificate? Name cert= and key=";
  if (code === tooFewServers) return `${message}; replicas=${replicas} needs as many servers with JetStream`;
  return `${message}; it must run with JetStream (nats-server -js)`;
}

/** JetStream's code for a stream that wants more copies than there are servers. */
const tooFewServers = 10_074;
