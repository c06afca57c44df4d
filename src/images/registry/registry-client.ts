import { readFileSync } from "node:fs";
import type { Readable } from "node:stream";
import { getCACertificates } from "node:tls";
import type { Dispatcher, request as Request } from "undici";
import { ImageError } from "../image-error.ts";
import { parseChallenge, type Challenge } from "./challenge.ts";
import type { Credentials, FindCredentials } from "./credentials.ts";
import { basic, tokenIn, tokenRequest } from "./token-server.ts";
import { explainAnswer, explainBreak, type Asked } from "./registry-answer.ts";
import { maxTries, mayPass, realRetry, waitBefore, type RetryDeps } from "./retry.ts";

export interface RegistryClientOptions {
  readonly findCredentials: FindCredentials;
  /** Trust any certificate, and speak plain HTTP where no TLS is spoken. Loopback needs no such thing. */
  readonly insecure?: boolean;
  /** A file of certificates to trust besides the usual ones. */
  readonly caFile?: string;
  /** `HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY` are honoured. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly retry?: RetryDeps;
}

export interface RegistryRequest {
  readonly registry: string;
  readonly method: "GET" | "HEAD" | "POST" | "PATCH" | "PUT" | "DELETE";
  /** Below `/v2/`, or a whole address a registry gave. */
  readonly path: string;
  /** What the request needs: `repository:library/nginx:pull`, several separated by spaces. */
  readonly scope: string;
  /** `pull docker.io/library/nginx:1`, for messages. */
  readonly task: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Made anew for each try. */
  readonly body?: () => Readable | Uint8Array | string;
  readonly signal?: AbortSignal;
  /** Statuses besides 2xx that are answers; others throw. */
  readonly allow?: readonly number[];
  /** False leaves retrying of broken connections and 5xx to the caller, who knows how far it came. */
  readonly retry?: boolean;
}

export interface RegistryAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Dispatcher.ResponseData["body"];
  /** Address that was really asked. */
  readonly url: string;
}

/** Speaks HTTP to registries: where they are, who the user is, trying again. One for the life of a command. */
export interface RegistryClient {
  /** The caller consumes or destroys the body. Throws ImageError. */
  ask(request: RegistryRequest): Promise<RegistryAnswer>;
  close(): Promise<void>;
}

const maxRedirects = 5;
const userAgent = "ebb";

/** Opens nothing until asked. */
export function createRegistryClient(options: RegistryClientOptions): RegistryClient {
  return new Client(options);
}

interface Attempt {
  readonly url: URL;
  readonly authorization: string | undefined;
}

class Client implements RegistryClient {
  readonly #options: RegistryClientOptions;
  readonly #retry: RetryDeps;
  #transport: Promise<Transport> | undefined;
  /** Header by registry and scope, as long as the registry takes it. */
  readonly #authorizations = new Map<string, Promise<string | undefined>>();
  /** Origins that are known to speak plain HTTP only. */
  readonly #plain = new Set<string>();

  constructor(options: RegistryClientOptions) {
    this.#options = options;
    this.#retry = options.retry ?? realRetry;
  }

  async close(): Promise<void> {
    const transport = await this.#transport;
    await transport?.dispatcher.close();
  }

  async ask(asked: RegistryRequest): Promise<RegistryAnswer> {
    const facts: Asked = {
      task: asked.task,
      registry: asked.registry,
      method: asked.method,
      url: this.#url(asked).href,
    };
    for (let tryNumber = 1; ; tryNumber += 1) {
      const last = tryNumber >= maxTries;
      const once = asked.retry === false;
      let retryAfter: string | undefined;
      try {
        const { answer, authenticated } = await this.#authorized(asked);
        if (answer.status < 300 || asked.allow?.includes(answer.status)) return answer;
        const body = await textOf(answer);
        // Whoever is told to wait has not been listened to: nothing has come any way.
        if (last || !mayPass(answer.status) || (once && answer.status !== 429))
          throw explainAnswer({ ...facts, url: answer.url }, { status: answer.status, body, authenticated });
        retryAfter = one(answer.headers["retry-after"]);
      } catch (error) {
        asked.signal?.throwIfAborted();
        if (error instanceof ImageError) throw error;
        if (facts.url.startsWith("https:") && this.#fallBackToPlain(asked, error)) continue;
        if (error instanceof PassingFailure && last) throw error.cause;
        if (once && !(error instanceof PassingFailure)) throw error;
        if (last || !mayHeal(error, tryNumber)) throw explainBreak(facts, error, tryNumber);
      }
      await this.#retry.sleep(waitBefore(tryNumber, retryAfter, Date.now(), this.#retry.random()), asked.signal);
    }
  }

  /** Asks with what is known to be needed; after a 401, once more with what it asks for. */
  async #authorized(
    asked: RegistryRequest,
  ): Promise<{ readonly answer: RegistryAnswer; readonly authenticated: boolean }> {
    const key = `${asked.registry} ${asked.scope}`;
    const known = await this.#authorizations.get(key);
    const url = this.#url(asked);
    const first = await this.#follow(asked, { url, authorization: known });
    if (first.status !== 401) return { answer: first, authenticated: known !== undefined };
    const challenge = parseChallenge(one(first.headers["www-authenticate"]));
    await first.body.dump();
    const getting = this.#authorize(asked, challenge);
    this.#authorizations.set(key, getting);
    getting.catch(() => this.#authorizations.delete(key));
    const authorization = await getting;
    if (authorization === undefined || authorization === known)
      throw explainAnswer({ ...asked, url: url.href }, { status: 401, body: "", authenticated: known !== undefined });
    const second = await this.#follow(asked, { url, authorization });
    if (second.status === 401) this.#authorizations.delete(key);
    return { answer: second, authenticated: true };
  }

  async #follow(asked: RegistryRequest, attempt: Attempt): Promise<RegistryAnswer> {
    const { request, dispatcher } = await this.#open();
    let { url, authorization } = attempt;
    for (let hops = 0; ; hops += 1) {
      const body = asked.body?.();
      const {
        statusCode,
        headers,
        body: answer,
      } = await request(url, {
        dispatcher,
        method: asked.method,
        headers: {
          "user-agent": userAgent,
          ...asked.headers,
          ...(authorization === undefined ? {} : { authorization }),
        },
        ...(body === undefined ? {} : { body }),
        ...(asked.signal ? { signal: asked.signal } : {}),
        headersTimeout: 60_000,
        bodyTimeout: 60_000,
      });
      const location = one(headers["location"]);
      const redirects =
        [301, 302, 303, 307, 308].includes(statusCode) && (asked.method === "GET" || asked.method === "HEAD");
      if (!redirects || location === undefined || hops >= maxRedirects)
        return { status: statusCode, headers, body: answer, url: url.href };
      await answer.dump();
      const next = new URL(location, url);
      // The place a registry keeps its blobs at must not learn who the user is.
      if (next.origin !== url.origin) authorization = undefined;
      url = next;
    }
  }

  async #authorize(asked: RegistryRequest, challenge: Challenge | undefined): Promise<string | undefined> {
    const credentials = await this.#options.findCredentials(asked.registry);
    if (!challenge) return undefined;
    if (challenge.scheme === "basic")
      return credentials?.kind === "password" ? basic(credentials.username, credentials.password) : undefined;
    return `Bearer ${await this.#token(asked, challenge, credentials)}`;
  }

  async #token(
    asked: RegistryRequest,
    challenge: Extract<Challenge, { scheme: "bearer" }>,
    credentials: Credentials | undefined,
  ): Promise<string> {
    const realm = new URL(challenge.realm);
    if (realm.protocol !== "https:" && this.#url(asked).protocol === "https:" && !this.#options.insecure)
      throw new ImageError(
        "protocol",
        `${asked.registry} sends logins to ${realm.origin} without TLS; nothing was sent there (--insecure allows it)`,
      );
    const { method, url, headers, body } = tokenRequest(challenge, asked.scope, credentials);
    const { request, dispatcher } = await this.#open();
    const answer = await request(url, {
      dispatcher,
      method,
      headers: { "user-agent": userAgent, ...headers },
      ...(body === undefined ? {} : { body }),
      ...(asked.signal ? { signal: asked.signal } : {}),
    });
    const text = await answer.body.text();
    if (answer.statusCode === 200) return tokenIn(text, realm.host);
    const authenticated = credentials !== undefined;
    const failure = explainAnswer(
      { ...asked, method, url: realm.href },
      { status: answer.statusCode, body: text, authenticated },
    );
    throw mayPass(answer.statusCode) ? new PassingFailure(failure) : failure;
  }

  async #open(): Promise<Transport> {
    return await (this.#transport ??= openTransport(this.#options));
  }

  #url(asked: RegistryRequest): URL {
    if (/^https?:/.test(asked.path)) return new URL(asked.path);
    return new URL(asked.path, `${this.#origin(asked.registry)}/v2/`);
  }

  #origin(registry: string): string {
    const host = registry === "docker.io" ? "registry-1.docker.io" : registry;
    const plain = isLoopback(host) || this.#plain.has(host);
    return `${plain ? "http" : "https"}://${host}`;
  }

  /** With --insecure, a registry that answers TLS with something else is asked in plain from then on. */
  #fallBackToPlain(asked: RegistryRequest, error: unknown): boolean {
    const { code = "" } = error as NodeJS.ErrnoException;
    const noTls =
      code === "ERR_SSL_WRONG_VERSION_NUMBER" || code === "EPROTO" || code === "ERR_SSL_PACKET_LENGTH_TOO_LONG";
    // Of several requests at once the first to fail has told the others already.
    if (!this.#options.insecure || !noTls) return false;
    this.#plain.add(asked.registry);
    return true;
  }
}

/** A failure of the token server that may pass: tried again like one of the registry. */
class PassingFailure extends Error {
  override readonly cause: ImageError;

  constructor(cause: ImageError) {
    super(cause.message);
    this.cause = cause;
  }
}

interface Transport {
  readonly request: typeof Request;
  readonly dispatcher: Dispatcher;
}

/** Loaded when a registry is first asked: it takes 27 MB, and most ebbs never ask one. */
async function openTransport(options: RegistryClientOptions): Promise<Transport> {
  const { Agent, EnvHttpProxyAgent, request } = await import("undici");
  const ca =
    options.caFile === undefined ? {} : { ca: [...getCACertificates("default"), certificates(options.caFile)] };
  const tls = { ...ca, ...(options.insecure ? { rejectUnauthorized: false } : {}) };
  const settings = { connect: { ...tls, timeout: 10_000 }, connections: 16 };
  const env = options.env ?? {};
  const http = env["http_proxy"] ?? env["HTTP_PROXY"];
  const https = env["https_proxy"] ?? env["HTTPS_PROXY"];
  if (http === undefined && https === undefined) return { request, dispatcher: new Agent(settings) };
  const noProxy = [env["no_proxy"] ?? env["NO_PROXY"] ?? "", "localhost,127.0.0.1,[::1]"].filter(Boolean).join(",");
  const dispatcher = new EnvHttpProxyAgent({
    ...settings,
    noProxy,
    ...(http === undefined ? {} : { httpProxy: http }),
    ...(https === undefined ? {} : { httpsProxy: https }),
    requestTls: tls,
  });
  return { request, dispatcher };
}

function certificates(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ImageError("malformed", `the certificates to trust cannot be read: ${why}`, { cause: error });
  }
}

/** Loopback is spoken to in plain HTTP, as every client does. */
function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d+){3}|\[::1\]|[\w-]+\.localhost)(:\d+)?$/.test(host);
}

/**
 * What of the network may be different a moment later. A name that is not found, or an untrusted certificate, is not;
 * a registry that does not listen is given a second to come back.
 */
export function mayHeal(error: unknown, tryNumber: number): boolean {
  if (error instanceof PassingFailure) return true;
  const { code = "" } = error as NodeJS.ErrnoException;
  if (code === "ECONNREFUSED") return tryNumber < 3;
  return /^(ECONNRESET|ECONNABORTED|EPIPE|ETIMEDOUT|EAI_AGAIN|ENETUNREACH|EHOSTUNREACH|UND_ERR_(SOCKET|CONNECT_TIMEOUT|HEADERS_TIMEOUT|BODY_TIMEOUT|RES_CONTENT_LENGTH_MISMATCH|ABORTED)|HPE_.*)$/.test(
    code,
  );
}

/** Header values that come once. */
export function one(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}

/** At most 64 kB of an answer that is only quoted. */
async function textOf(answer: RegistryAnswer): Promise<string> {
  let text = "";
  for await (const chunk of answer.body as AsyncIterable<Buffer>) {
    text += chunk.toString("utf8");
    if (text.length > 65_536) break;
  }
  return text;
}
