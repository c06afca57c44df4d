import { expired, internalError, invalid, isApiError, type ApiError } from "../../api/meta/errors.ts";
import { fieldError } from "../../api/meta/field-error.ts";
import type { KubeObject } from "../../api/meta/object.ts";
import type { Change, Entry } from "../storage/entry.ts";
import type { Served } from "./catalog.ts";
import { entriesOf, parseRevision } from "./list.ts";
import type { Registry } from "./registry.ts";
import { parseSelection, type Selection } from "./selection.ts";

export interface WatchRequest {
  readonly served: Served;
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly resourceVersion?: string;
  readonly resourceVersionMatch?: string;
  readonly sendInitialEvents?: boolean;
  readonly allowWatchBookmarks?: boolean;
}

export type WatchType = "ADDED" | "MODIFIED" | "DELETED";

/** Where the events of a watch go. All calls are made in order, in the turn of the write; none may write to the store. */
export interface WatchSink {
  /** `change` is the commit behind the event; absent for an object that was there when the watch began. */
  event(type: WatchType, entry: Entry, change: Change | undefined): void;
  bookmark(revision: number, initialEventsEnd: boolean): void;
  /** The watch is over and nothing more follows. */
  fail(error: ApiError): void;
}

/** Changes a watch may fall behind while it reads old ones from the log. */
const maxPending = 10_000;

const tooOld = (revision: number, oldest: number): ApiError =>
  expired(`too old resource version: ${revision} (${oldest})`);

/**
 * Starts a watch; returns what stops it and what tells whether it is past its beginning (bookmarks may be sent).
 * Subscribes first and reads afterwards, so there is neither gap nor repetition. Throws 422 for options that
 * contradict each other; a version no longer kept is told through the sink, as HTTP clients expect it.
 */
export function startWatch(registry: Registry, request: WatchRequest, sink: WatchSink): Watching {
  checkWatchOptions(request);
  const selection = parseSelection(request.served.definition, request);
  let watching: Watching | undefined;
  const deliver = guarded(deliverer(selection, sink), (error) => {
    watching?.stop();
    sink.fail(internalError(error instanceof Error ? error.message : String(error)));
  });
  watching = begin(registry, request, { selection, deliver, sink });
  return watching;
}

/** A watcher that fails at one event has missed it: it must end rather than go on with a gap. */
function guarded(deliver: (change: Change) => void, fail: (error: unknown) => void): (change: Change) => void {
  return (change) => {
    try {
      deliver(change);
    } catch (error) {
      fail(error);
      throw error;
    }
  };
}

interface Beginning {
  readonly selection: Selection;
  readonly deliver: (change: Change) => void;
  readonly sink: WatchSink;
}

function begin(registry: Registry, request: WatchRequest, { selection, deliver, sink }: Beginning): Watching {
  const from = parseRevision(request.resourceVersion);
  const { store } = registry;
  const { resource } = request.served;
  const initial = request.sendInitialEvents ?? (from === undefined || from === 0);
  if (initial || from === undefined || from === 0) {
    if (initial) for (const entry of entriesOf(store, request.served, selection)) initialEvent(selection, sink, entry);
    if (request.sendInitialEvents && request.allowWatchBookmarks) sink.bookmark(store.revision, true);
    return { live: () => true, stop: store.subscribe(resource, deliver) };
  }
  if (from < store.compacted) {
    sink.fail(tooOld(from, store.compacted));
    return { live: () => false, stop: () => undefined };
  }
  if (store.lastRevisionOf(resource) <= from) {
    const later = (change: Change): void => void (change.revision > from && deliver(change));
    return { live: () => true, stop: store.subscribe(resource, later) };
  }
  return replayThenFollow(registry, request, { from, deliver, sink });
}

export interface Watching {
  /** Everything up to the store's revision has been delivered. */
  readonly live: () => boolean;
  readonly stop: () => void;
}

function checkWatchOptions(request: WatchRequest): void {
  const field = "resourceVersionMatch";
  const { resourceVersionMatch: match, sendInitialEvents: initial } = request;
  const kind = { group: "meta.k8s.io", kind: "ListOptions" };
  if (initial === undefined && match)
    throw invalid(kind, "", [
      fieldError.forbidden(field, "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"),
    ]);
  if (initial === undefined) return;
  if (!match)
    throw invalid(kind, "", [
      fieldError.forbidden(field, "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"),
    ]);
  if (match !== "NotOlderThan") throw invalid(kind, "", [fieldError.notSupported(field, match, ["NotOlderThan"])]);
}

function initialEvent(selection: Selection, sink: WatchSink, entry: Entry): void {
  if (selection.matches(entry.object)) sink.event("ADDED", entry, undefined);
}

/** Turns changes into the events a selection sees: coming to match is ADDED, ceasing to match DELETED. */
function deliverer(selection: Selection, sink: WatchSink): (change: Change) => void {
  const { namespace, name, matches } = selection;
  return (change) => {
    const { metadata } = change.entry.object;
    if (namespace !== undefined && metadata.namespace !== namespace) return;
    if (name !== undefined && metadata.name !== name) return;
    const was = change.previous !== undefined && matches(change.previous.object);
    if (change.type === "deleted") {
      if (was) sink.event("DELETED", change.entry, change);
      return;
    }
    if (matches(change.entry.object)) sink.event(was ? "MODIFIED" : "ADDED", change.entry, change);
    else if (was && change.previous) sink.event("DELETED", lastMatching(change.previous, change.revision), undefined);
  };
}

/** The state that still matched, under the version of the write that ended it. */
function lastMatching(previous: Entry, revision: number): Entry {
  const { object } = previous;
  const metadata = { ...object.metadata, resourceVersion: String(revision) };
  return { ...previous, revision, object: { ...object, metadata } as KubeObject };
}

interface Replay {
  readonly from: number;
  readonly deliver: (change: Change) => void;
  readonly sink: WatchSink;
}

function replayThenFollow(registry: Registry, request: WatchRequest, { from, deliver, sink }: Replay): Watching {
  const { store } = registry;
  const { resource } = request.served;
  const upTo = store.revision;
  let pending: Change[] | undefined = [];
  let stopped = false;
  const unsubscribe = store.subscribe(resource, (change) => {
    if (!pending) deliver(change);
    else pending.push(change);
  });
  const stop = (): void => {
    stopped = true;
    unsubscribe();
  };
  const end = (): void => {
    stop();
    sink.fail(tooOld(from, store.compacted));
  };
  const run = async (): Promise<void> => {
    const changes = store.replay(resource, from, upTo);
    for (;;) {
      const next = await changes.next();
      if (stopped) return;
      if (next.done) {
        if (!next.value) return end();
        break;
      }
      deliver(next.value);
      if ((pending?.length ?? 0) > maxPending) return end();
    }
    for (const change of pending ?? []) deliver(change);
    pending = undefined;
  };
  run().catch((error: unknown) => {
    stop();
    sink.fail(isApiError(error) ? error : internalError(error instanceof Error ? error.message : String(error)));
  });
  return { live: () => pending === undefined, stop };
}
