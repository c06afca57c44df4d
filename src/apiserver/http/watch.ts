import type { ServerResponse } from "node:http";
import { expired, type ApiError } from "../../api/meta/errors.ts";
import { parseRevision, waitForRevision } from "../registry/list.ts";
import { startWatch, type WatchRequest, type WatchSink, type WatchType } from "../registry/watch.ts";
import type { Change, Entry } from "../storage/entry.ts";
import { parseAccept, type Form } from "./accept.ts";
import type { HttpDeps, StoredCall } from "./exchange.ts";
import { objectText, partialText } from "./object-text.ts";
import { watchOptions } from "./query.ts";
import { tableOptions } from "./read.ts";
import { columnDefinitions, rowText, tableText } from "./tables.ts";

/** Bytes a client may leave unread before its watch ends with 410 and it has to list again. */
const maxUnreadBytes = 8 * 1024 * 1024;
const bookmarkMs = 60_000;
/** Clients that name no end get one between half an hour and an hour, spread so that they do not come back together. */
const defaultSeconds = (): number => 1800 + Math.floor((performance.now() * 1000) % 1800);

const newline = "}\n";

/** Frames already made for a change, by type and form: a hundred watchers cost one serialisation. */
const frames = new WeakMap<Change, Map<string, Buffer>>();

/** Serves a watch until its time is up, the client leaves or falls too far behind. */
export async function watch(deps: HttpDeps, call: StoredCall, response: ServerResponse): Promise<void> {
  const { served, path, query } = call;
  const { registry } = deps;
  const [form] = parseAccept(call.request.headers.accept);
  const { timeoutSeconds, ...options } = watchOptions(query);
  const { namespace, name } = path;
  const request: WatchRequest = {
    served,
    ...options,
    ...(namespace === undefined || !served.definition.kind.namespaced ? {} : { namespace }),
    ...(name === undefined ? {} : { fieldSelector: `metadata.name=${name}` }),
  };
  const revision = parseRevision(request.resourceVersion);
  if (request.sendInitialEvents && revision !== undefined) await waitForRevision(registry.store, revision);
  const encode = frameEncoder(deps, call, form);
  const out = writer(response);
  const sink: WatchSink = {
    event: (type, entry, change) => out.write(encode.event(type, entry, change)),
    bookmark: (at, end) => out.write(encode.bookmark(at, end)),
    fail: (error) => out.end(errorFrame(error)),
  };
  // Started before the headers are sent so that options which contradict each other are still answered 422.
  const watching = startWatch(registry, request, sink);
  out.open(watching.stop);
  const seconds = timeoutSeconds ?? defaultSeconds();
  const bookmark = (): void => void (watching.live() && sink.bookmark(registry.store.revision, false));
  const timers = [setTimeout(() => out.end(), seconds * 1000)];
  if (request.allowWatchBookmarks) {
    timers.push(setInterval(bookmark, bookmarkMs));
    if (seconds > 4) timers.push(setTimeout(bookmark, (seconds - 2) * 1000));
  }
  timers.forEach((timer) => timer.unref());
  await new Promise<void>((done) => void response.once("close", done));
  timers.forEach((timer) => clearTimeout(timer));
  watching.stop();
}

interface Writer {
  write(frame: Buffer | string): void;
  end(frame?: string): void;
  /** Sends the headers and what was written so far. `stop` is called when the client is cut off. */
  open(stop: () => void): void;
}

function writer(response: ServerResponse): Writer {
  let early: (Buffer | string)[] | undefined = [];
  let ended = false;
  let endedEarly: { readonly frame: string | undefined } | undefined;
  let stop = (): void => undefined;
  const end = (frame?: string): void => {
    if (ended) return;
    if (early) {
      endedEarly = { frame };
      return;
    }
    ended = true;
    stop();
    if (frame) response.end(frame);
    else response.end();
  };
  return {
    write: (frame) => {
      if (ended) return;
      if (early) early.push(frame);
      else if (response.writableLength > maxUnreadBytes)
        end(errorFrame(expired("the client reads too slowly; list again")));
      else response.write(frame);
    },
    end,
    open: (onEnd) => {
      stop = onEnd;
      response.writeHead(200, { "Content-Type": "application/json", "Cache-Control": "no-cache, private" });
      response.flushHeaders();
      const first = early ?? [];
      early = undefined;
      if (first.length > 0)
        response.write(Buffer.concat(first.map((frame) => (typeof frame === "string" ? Buffer.from(frame) : frame))));
      if (endedEarly) end(endedEarly.frame);
    },
  };
}

const errorFrame = ({ status }: ApiError): string => `{"type":"ERROR","object":${JSON.stringify(status)}}\n`;

interface FrameEncoder {
  event(type: WatchType, entry: Entry, change: Change | undefined): Buffer | string;
  bookmark(revision: number, initialEventsEnd: boolean): string;
}

function frameEncoder(deps: HttpDeps, call: StoredCall, form: Form | undefined): FrameEncoder {
  if (form?.as === "table") return tableEncoder(deps, call, form.version);
  const { served } = call;
  const partial = form?.as === "partial" ? form.version : undefined;
  const textOf = (entry: Entry, change: Change | undefined): string =>
    partial ? partialText(entry, partial) : objectText(served, entry, change?.text);
  const key = `${partial ?? ""} ${served.apiVersion} `;
  const head = partial
    ? `{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/${partial}"`
    : `{"kind":"${served.definition.kind.kind}","apiVersion":"${served.apiVersion}"`;
  return {
    event: (type, entry, change) => {
      if (!change) return `{"type":"${type}","object":${textOf(entry, change)}${newline}`;
      let known = frames.get(change);
      if (!known) frames.set(change, (known = new Map()));
      let frame = known.get(key + type);
      if (!frame) {
        frame = Buffer.from(`{"type":"${type}","object":${textOf(entry, change)}${newline}`);
        known.set(key + type, frame);
      }
      return frame;
    },
    bookmark: (revision, end) =>
      `{"type":"BOOKMARK","object":${head},"metadata":${bookmarkMetadata(revision, end)}}${newline}`,
  };
}

const bookmarkMetadata = (revision: number, end: boolean): string =>
  `{"resourceVersion":"${revision}","creationTimestamp":null${end ? ',"annotations":{"k8s.io/initial-events-end":"true"}' : ""}}`;

/** Each event is a Table of one row; the columns are told once. Ages differ per watcher, so nothing is shared. */
function tableEncoder(deps: HttpDeps, { served, query }: StoredCall, version: string): FrameEncoder {
  let columns: string | undefined = columnDefinitions(served.storage);
  const frame = (type: string, metadata: string, rows: readonly string[]): string => {
    const text = tableText(metadata, columns ?? "null", rows, version);
    columns = undefined;
    return `{"type":"${type}","object":${text}${newline}`;
  };
  return {
    event: (type, entry) => {
      const options = tableOptions(query, version, deps.registry.now());
      const row = rowText(served.storage, entry, options, () => objectText(served, entry));
      return frame(type, `{"resourceVersion":"${entry.revision}"}`, [row]);
    },
    bookmark: (revision, end) => {
      const metadata = `{"resourceVersion":"${revision}"}`;
      const object = `{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/${version}","metadata":${bookmarkMetadata(revision, end)}}`;
      return frame("BOOKMARK", metadata, [`{"cells":[],"object":${object}}`]);
    },
  };
}
