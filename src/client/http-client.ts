import type { Dispatcher } from "undici";
import type { WebSocket } from "ws";
import { failure } from "../api/meta/errors.ts";
import { apiVersionOf, type Kind } from "../api/meta/kind.ts";
import type { KubeObject } from "../api/meta/object.ts";
import type { GetOptions, ListOptions, Patch, WatchEvent, WatchOptions } from "../api/meta/requests.ts";
import { collectionPath, objectPath, query, writeQuery } from "./api-path.ts";
import type { Client } from "./client.ts";
import { systemClock, type Clock } from "./clock.ts";
import { createTransport, type Transport } from "./http-transport.ts";
import type { RateLimit } from "./rate-limit.ts";
import { lines, parseWatchEvent } from "./http-watch.ts";
import type { ConnectionConfig } from "./kubeconfig.ts";
import { openWebSocket, type WebSocketRequest } from "./web-socket.ts";

/** The Client over HTTPS, with a door to paths that are no objects (logs, tables, metrics). */
export interface HttpClient extends Client {
  readonly config: ConnectionConfig;
  /** Sends one request; throws the ApiError of an answer of 400 and above. The answer may be a stream without end. */
  raw(path: string, options?: RawOptions): Promise<Dispatcher.ResponseData>;
  /**
   * The same client for as long as `signal` has not fired: afterwards nothing more is sent, what waits for its turn is
   * given up and what is under way is broken off, with the signal's reason. So a leader that was one writes nothing.
   */
  until(signal: AbortSignal): Client;
  /** Opens a WebSocket, paused; throws as `raw` does. The caller resumes and closes it. */
  webSocket(request: Omit<WebSocketRequest, "headers">): Promise<WebSocket>;
  /** Resolves when the requests under way have ended. */
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
  /** How much is asked of the server, watches not counted. Absent: as much as its callers like. */
  readonly limit?: RateLimit;
  readonly clock?: Clock;
}

const patchTypes: Readonly<Record<Patch["type"], string>> = {
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
  json: "application/json-patch+json",
  apply: "application/apply-patch+yaml",
};

const json = { accept: "application/json", contentType: "application/json", isStream: false };

/** Opens a client; nothing is sent until the first call. */
export function createHttpClient(config: ConnectionConfig, options: HttpClientOptions): HttpClient {
  const clock = options.clock ?? systemClock;
  const transport = createTransport(config, {
    userAgent: options.userAgent,
    clock,
    ...(options.limit ? { limit: options.limit } : {}),
  });
  const watching = { transport, clock, silenceMs: options.watchSilenceMs ?? 150_000 };
  return {
    config,
    raw: (path, { method = "GET", accept = json.accept, contentType = json.contentType, body, signal } = {}) =>
      transport.send({
        path,
        method,
        accept,
        contentType,
        isStream: true,
        ...(body === undefined ? {} : { body }),
        ...(signal ? { signal } : {}),
      }),
    webSocket: async (request) => openWebSocket(config, { ...request, headers: await transport.authorization() }),
    close: () => transport.close(),
    until: (signal) => makeCalls(watching, signal),
    ...makeCalls(watching),
  };
}

function makeCalls(watching: Watching, until?: AbortSignal): Client {
  const { transport } = watching;
  const call = async <T>(
    method: Dispatcher.HttpMethod,
    path: string,
    body?: unknown,
    contentType?: string,
  ): Promise<T> => {
    const request = {
      ...json,
      method,
      path,
      ...(body === undefined ? {} : { body }),
      ...(contentType ? { contentType } : {}),
      ...(until ? { signal: until } : {}),
    };
    return (await (await transport.send(request)).body.json()) as T;
  };
  const get: Client["get"] = (kind, key, read) =>
    call("GET", objectPath(kind, key) + query({ ...read } satisfies GetOptions));

  return {
    get,
    list: (kind, { namespace, ...list } = {}) =>
      call("GET", collectionPath(kind, namespace) + query(list satisfies ListOptions)),
    create: (kind, object, write) =>
      call("POST", collectionPath(kind, object.metadata.namespace) + writeQuery(write), typed(kind, object)),
    async update(kind, object, { subresource, ...write } = {}) {
      const path = objectPath(kind, object.metadata, subresource) + writeQuery(write);
      if (subresource !== "binding") return call("PUT", path, typed(kind, object));
      await call("POST", path, makeBinding(object));
      return get(kind, object.metadata);
    },
    patch: (kind, key, patch, { subresource, force, ...write } = {}) =>
      call(
        "PATCH",
        objectPath(kind, key, subresource) + writeQuery(write, force),
        patch.type === "apply" ? typed(kind, patch.body) : patch.body,
        patchTypes[patch.type],
      ),
    delete: (kind, key, body) =>
      call("DELETE", objectPath(kind, key), { apiVersion: "v1", kind: "DeleteOptions", ...body }),
    watch: (kind, watch) =>
      watchEvents(watching, kind, until ? { ...watch, signal: AbortSignal.any([watch.signal, until]) } : watch),
  };
}

const typed = (kind: Kind, body: object): object => ({ apiVersion: apiVersionOf(kind), kind: kind.kind, ...body });

/** A pod with its node as the Binding that puts it there. */
function makeBinding(pod: KubeObject): object {
  const { name, namespace, uid } = pod.metadata;
  const { nodeName } = (pod as KubeObject & { readonly spec?: { readonly nodeName?: string } }).spec ?? {};
  return {
    apiVersion: "v1",
    kind: "Binding",
    metadata: { name, namespace, uid },
    target: { apiVersion: "v1", kind: "Node", name: nodeName },
  };
}

interface Watching {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly silenceMs: number;
}

async function* watchEvents<T extends KubeObject>(
  { transport, clock, silenceMs }: Watching,
  kind: Kind<T>,
  { namespace, signal, ...options }: WatchOptions,
): AsyncGenerator<WatchEvent<T>> {
  if (signal.aborted) return;
  const silence = new AbortController();
  const dead = failure(504, "Timeout", `nothing came over the watch of ${kind.plural} for ${silenceMs} ms`);
  const arm = (): (() => void) => clock.after(silenceMs, () => silence.abort(dead));
  let disarm = arm();
  try {
    const path = collectionPath(kind, namespace) + query({ ...options, watch: true });
    const request = { ...json, method: "GET" as const, path, isStream: true };
    const answer = await transport.send({ ...request, signal: AbortSignal.any([signal, silence.signal]) });
    for await (const line of lines(answer.body)) {
      disarm();
      disarm = arm();
      yield parseWatchEvent<T>(line);
    }
  } catch (error) {
    if (signal.aborted) return;
    throw silence.signal.aborted ? dead : error;
  } finally {
    disarm();
  }
}
