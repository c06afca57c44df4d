/** `kubectl logs`: the log subresource over HTTP and WebSocket (core PodLogOptions and its validation). */
import type { ServerResponse } from "node:http";
import { badRequest, invalid } from "../../api/meta/errors.ts";
import { fieldError, type FieldError } from "../../api/meta/field-error.ts";
import { parseTime } from "../../api/meta/time.ts";
import type { LogOptions } from "../../api/node-connection.ts";
import { containerOf, findPod, flag, nodeOf, type PodPlace, type StreamDeps } from "./pod-target.ts";
import { acceptWebSocket, chooseSubprotocol, isWebSocket, type UpgradeRequest } from "./upgrade.ts";

const optionsKind = { group: "", kind: "PodLogOptions" };
const streams = ["All", "Stderr", "Stdout"] as const;

/** Checks the query. Throws 400 for what cannot be read and 422 for values out of range. */
export function parseLogOptions(query: URLSearchParams, podName: string, nowMs: number): LogOptions {
  const tailLines = integer(query, "tailLines");
  const limitBytes = integer(query, "limitBytes");
  const sinceSeconds = integer(query, "sinceSeconds");
  const sinceTime = query.get("sinceTime") || undefined;
  const asked = query.get("stream") ?? "All";
  const stream = streams.find((name) => name === asked);
  const errors: FieldError[] = [];
  if (tailLines !== undefined && tailLines < 0)
    errors.push(fieldError.invalid("tailLines", tailLines, "must be greater than or equal to 0"));
  if (limitBytes !== undefined && limitBytes < 1)
    errors.push(fieldError.invalid("limitBytes", limitBytes, "must be greater than 0"));
  if (sinceSeconds !== undefined && sinceTime !== undefined)
    errors.push(fieldError.forbidden("", "at most one of `sinceTime` or `sinceSeconds` may be specified"));
  else if (sinceSeconds !== undefined && sinceSeconds < 1)
    errors.push(fieldError.invalid("sinceSeconds", sinceSeconds, "must be greater than 0"));
  if (stream === undefined) errors.push(fieldError.notSupported("stream", asked, streams));
  else if (stream !== "All" && tailLines !== undefined)
    errors.push(fieldError.forbidden("", "`tailLines` and specific `stream` are mutually exclusive for now"));
  if (errors.length > 0 || stream === undefined) throw invalid(optionsKind, podName, errors);
  const sinceMs = sinceSeconds === undefined ? time(sinceTime) : nowMs - sinceSeconds * 1000;
  return {
    follow: flag(query, "follow"),
    previous: flag(query, "previous"),
    timestamps: flag(query, "timestamps"),
    stream,
    ...(sinceMs === undefined ? {} : { sinceMs }),
    ...(tailLines === undefined ? {} : { tailLines }),
    ...(limitBytes === undefined ? {} : { limitBytes }),
  };
}

function integer(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === "") return undefined;
  if (!/^[+-]?\d{1,15}$/.test(text)) throw badRequest(`${name}: "${text}" is not a whole number`);
  return Number(text);
}

function time(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = parseTime(text);
  if (ms === undefined) throw badRequest(`sinceTime: "${text}" is not an RFC 3339 time`);
  return ms;
}

/** The log of a pod's container; undefined while the pod is on no node, when there can be none. */
function openLog(
  deps: StreamDeps & { readonly now: () => number },
  place: PodPlace,
  query: URLSearchParams,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> | undefined {
  const { pod, reference } = findPod(deps, place);
  const options = parseLogOptions(query, place.name, deps.now());
  const container = containerOf(pod, query.get("container"));
  return nodeOf(deps, pod)?.containerLogs(reference, container, options, signal);
}

/** A client that follows a silent container gets its headers after this long. */
const headersWithinMs = 100;

/** Answers a plain request. Failures before the first byte are thrown, to be answered as Status. */
export async function serveLog(
  deps: StreamDeps & { readonly now: () => number },
  place: PodPlace,
  query: URLSearchParams,
  response: ServerResponse,
): Promise<void> {
  const gone = new AbortController();
  response.once("close", () => gone.abort(new Error("the client has closed the connection")));
  const chunks = openLog(deps, place, query, gone.signal);
  const begin = (): void => {
    if (response.headersSent) return;
    response.writeHead(200, { "Content-Type": "text/plain", "Cache-Control": "no-cache, private" });
    response.flushHeaders();
  };
  const timeout = setTimeout(begin, headersWithinMs);
  try {
    for await (const chunk of chunks ?? []) {
      begin();
      if (!response.write(chunk)) await drained(response, gone.signal);
    }
    begin();
    response.end();
  } catch (error) {
    if (!gone.signal.aborted) throw error;
  } finally {
    clearTimeout(timeout);
  }
}

async function drained(response: ServerResponse, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      response.off("drain", done);
      response.off("close", done);
      resolve();
    };
    response.on("drain", done);
    response.on("close", done);
  });
}

const subprotocols = ["binary.k8s.io", "base64.binary.k8s.io", ""] as const;

/** Answers a WebSocket request: the log's bytes as messages, base64 text for the protocol of that name. */
export async function serveLogOverWebSocket(
  deps: StreamDeps & { readonly now: () => number },
  place: PodPlace,
  upgrade: UpgradeRequest & { readonly query: URLSearchParams },
): Promise<void> {
  if (!isWebSocket(upgrade.request)) throw badRequest("logs are served over HTTP and WebSocket only");
  const protocol = chooseSubprotocol(upgrade.request, subprotocols);
  const gone = new AbortController();
  const chunks = openLog(deps, place, upgrade.query, gone.signal);
  const webSocket = await acceptWebSocket(upgrade, protocol);
  webSocket.on("close", () => gone.abort(new Error("the client has closed the connection")));
  try {
    for await (const chunk of chunks ?? []) {
      if (webSocket.readyState !== webSocket.OPEN) return;
      const message = protocol === "base64.binary.k8s.io" ? Buffer.from(chunk).toString("base64") : chunk;
      await new Promise<void>((sent) => webSocket.send(message, () => sent()));
    }
    webSocket.close(1000);
  } catch {
    // 1011: the server met a condition that kept it from going on.
    webSocket.close(1011, "the log could not be read to its end");
  }
}
