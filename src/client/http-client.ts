import { Agent, type Dispatcher } from "undici";
import { ApiError, failure } from "../api/meta/errors.ts";
import { apiVersionOf, type Kind } from "../api/meta/kind.ts";
import type { KubeObject, ObjectKey } from "../api/meta/object.ts";
import type { GetOptions, ListOptions, Patch, WatchEvent, WatchOptions, WriteOptions } from "../api/meta/requests.ts";
import type { Status } from "../api/meta/types.gen.ts";
import type { Client } from "./client.ts";
import type { ConnectionConfig } from "./kubeconfig.ts";

/** The Client over HTTPS, with a door to paths that are no objects (logs, tables, metrics). */
export interface HttpClient extends Client {
  readonly config: ConnectionConfig;
  /** Sends one request; throws the ApiError of an answer of 400 and above. */
  raw(path: string, options?: RawOptions): Promise<Dispatcher.ResponseData>;
  close(): Promise<void>;
}

export interface RawOptions {
  readonly method?: Dispatcher.HttpMethod;
  readonly accept?: string;
  readonly contentType?: string;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

export interface HttpClientOptions {
  readonly userAgent: string;
  /** A watch over which nothing comes for this long, bookmarks included, is taken for dead. Default 150 s. */
  readonly watchSilenceMs?: number;
}

const patchTypes: Readonly<Record<Patch["type"], string>> = {
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
  json: "application/json-patch+json",
  apply: "application/apply-patch+yaml",
};

/** Opens a client; nothing is sent until the first call. */
export function createHttpClient(config: ConnectionConfig, options: HttpClientOptions): HttpClient {
  const dispatcher = new Agent({
    connect: {
      ...(config.ca ? { ca: config.ca } : {}),
      ...(config.clientCertificate ? { cert: config.clientCertificate } : {}),
      ...(config.clientKey ? { key: config.clientKey } : {}),
      ...(config.tlsServerName ? { servername: config.tlsServerName } : {}),
      rejectUnauthorized: !config.insecureSkipTlsVerify,
    },
    bodyTimeout: 0,
  });
  const base = config.server.replace(/\/+$/, "");
  const headers: Record<string, string> = { "user-agent": options.userAgent };
  if (config.token) headers["authorization"] = `Bearer ${config.token}`;

  const raw: HttpClient["raw"] = async (path, request = {}) => {
    const answer = await dispatcher.request({
      origin: base,
      path: new URL(base).pathname.replace(/\/$/, "") + path,
      method: request.method ?? "GET",
      headers: {
        ...headers,
        accept: request.accept ?? "application/json",
        ...(request.body === undefined ? {} : { "content-type": request.contentType ?? "application/json" }),
      },
      ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
      ...(request.signal ? { signal: request.signal } : {}),
    });
    if (answer.statusCode >= 400) throw toApiError(answer.statusCode, await answer.body.text());
    return answer;
  };
  const json = async <T>(path: string, request?: RawOptions): Promise<T> =>
    (await (await raw(path, request)).body.json()) as T;

  return {
    config,
    raw,
    close: () => dispatcher.close(),
    get: (kind, key, get) => json(objectPath(kind, key) + query({ ...get } satisfies GetOptions)),
    list: (kind, { namespace, ...list } = {}) =>
      json(collectionPath(kind, namespace) + query(list satisfies ListOptions)),
    create: (kind, object, write) =>
      json(collectionPath(kind, object.metadata.namespace) + writeQuery(write), {
        method: "POST",
        body: typed(kind, object),
      }),
    update: (kind, object, { subresource, ...write } = {}) =>
      json(objectPath(kind, object.metadata, subresource) + writeQuery(write), {
        method: "PUT",
        body: typed(kind, object),
      }),
    patch: (kind, key, patch, { subresource, force, ...write } = {}) =>
      json(objectPath(kind, key, subresource) + writeQuery(write, force), {
        method: "PATCH",
        contentType: patchTypes[patch.type],
        body: patch.type === "apply" ? typed(kind, patch.body) : patch.body,
      }),
    delete: (kind, key, body) =>
      json(objectPath(kind, key), { method: "DELETE", body: { apiVersion: "v1", kind: "DeleteOptions", ...body } }),
    watch: (kind, watch) => watchEvents(raw, kind, watch, options.watchSilenceMs ?? 150_000),
  };
}

const typed = (kind: Kind, body: object): object => ({ apiVersion: apiVersionOf(kind), kind: kind.kind, ...body });

function collectionPath(kind: Kind, namespace: string | undefined): string {
  const group = kind.group === "" ? `/api/${kind.version}` : `/apis/${kind.group}/${kind.version}`;
  const scope = kind.namespaced && namespace ? `/namespaces/${encodeURIComponent(namespace)}` : "";
  return `${group}${scope}/${kind.plural}`;
}

function objectPath(kind: Kind, key: ObjectKey, subresource?: string): string {
  const path = `${collectionPath(kind, key.namespace)}/${encodeURIComponent(key.name)}`;
  return subresource ? `${path}/${subresource}` : path;
}

function query(values: object): string {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined && value !== "");
  if (entries.length === 0) return "";
  return `?${new URLSearchParams(entries.map(([key, value]) => [key, String(value)])).toString()}`;
}

function writeQuery(options: WriteOptions = {}, force?: boolean): string {
  const { dryRun, ...rest } = options;
  return query({ ...rest, ...(dryRun ? { dryRun: "All" } : {}), ...(force ? { force } : {}) });
}

function toApiError(code: number, text: string): ApiError {
  try {
    const status: Status & { readonly kind?: string } = JSON.parse(text);
    if (status.kind === "Status") return new ApiError(status);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return failure(
    code,
    code === 404 ? "NotFound" : "Unknown",
    `the server answered ${code}: ${text.slice(0, 500).trim()}`,
  );
}

interface WireEvent<T> {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  readonly object: T;
}

async function* watchEvents<T extends KubeObject>(
  raw: HttpClient["raw"],
  kind: Kind<T>,
  { namespace, signal, ...options }: WatchOptions,
  silenceMs: number,
): AsyncGenerator<WatchEvent<T>> {
  const silence = new AbortController();
  const arm = (): NodeJS.Timeout =>
    setTimeout(
      () => silence.abort(failure(504, "Timeout", `nothing came over a watch for ${silenceMs} ms`)),
      silenceMs,
    ).unref();
  let timer = arm();
  try {
    const path = collectionPath(kind, namespace) + query({ ...options, watch: true });
    const answer = await raw(path, { signal: AbortSignal.any([signal, silence.signal]) });
    for await (const line of lines(answer.body)) {
      clearTimeout(timer);
      timer = arm();
      yield toWatchEvent(JSON.parse(line) as WireEvent<T>);
    }
  } catch (error) {
    if (signal.aborted) return;
    throw silence.signal.aborted ? silence.signal.reason : error;
  } finally {
    clearTimeout(timer);
  }
}

function toWatchEvent<T extends KubeObject>(event: WireEvent<T>): WatchEvent<T> {
  if (event.type === "ERROR") throw new ApiError(event.object as unknown as Status);
  if (event.type !== "BOOKMARK") return { type: event.type, object: event.object };
  const { resourceVersion = "", annotations } = event.object.metadata;
  return { type: "BOOKMARK", resourceVersion, initialEventsEnd: annotations?.["k8s.io/initial-events-end"] === "true" };
}

async function* lines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of chunks) {
    rest += decoder.decode(chunk, { stream: true });
    let end = rest.indexOf("\n");
    let start = 0;
    for (; end >= 0; end = rest.indexOf("\n", start)) {
      if (end > start) yield rest.slice(start, end);
      start = end + 1;
    }
    rest = rest.slice(start);
  }
  if (rest.trim() !== "") yield rest;
}
