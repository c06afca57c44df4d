import type { RequestUser } from "../api/meta/definition.ts";
import type { Client } from "../api/meta/client.ts";
import { expired, type ApiError } from "../api/meta/errors.ts";
import { apiVersionOf, type Kind } from "../api/meta/kind.ts";
import type { Draft, KubeObject, ObjectKey } from "../api/meta/object.ts";
import type {
  DeleteOptions,
  ListOptions,
  Patch,
  PatchOptions,
  UpdateOptions,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from "../api/meta/requests.ts";
import { create } from "./registry/create.ts";
import { remove } from "./registry/delete.ts";
import { toServed } from "./registry/intake.ts";
import { copyJson } from "./registry/json.ts";
import { list } from "./registry/list.ts";
import { patch } from "./registry/patch.ts";
import { entryOf, type Registry } from "./registry/registry.ts";
import type { Caller, Target } from "./registry/request.ts";
import { deletionStatus } from "./registry/status.ts";
import { writeSubresource } from "./registry/subresource.ts";
import { update } from "./registry/update.ts";
import type { RunWrite } from "./webhooks/webhook-admission.ts";
import { startWatch, type Watching, type WatchSink } from "./registry/watch.ts";

export interface InProcessOptions {
  /** As whom calls are made; it may do everything. */
  readonly user: RequestUser;
  /** Field manager of calls that name none. */
  readonly manager: string;
}

/** Events a reader may leave unread before its watch ends with Expired and it has to list again. */
const maxUnread = 10_000;
const bookmarkMs = 60_000;

/**
 * The API without HTTP, for what lives in the same process: same pipeline, no text, no authentication. Objects handed
 * out are shared with the store: never change them.
 */
export function createInProcessApi(
  registry: Registry,
  runWrite: RunWrite,
  { user, manager }: InProcessOptions,
): Client {
  const caller = (options: WriteOptions = {}): Caller => ({
    user,
    manager: options.fieldManager ?? manager,
    dryRun: options.dryRun ?? false,
    fieldValidation: options.fieldValidation ?? "Strict",
    warn: () => undefined,
  });
  const target = (kind: Kind, key: ObjectKey, options: UpdateOptions = {}): Target => ({
    served: registry.catalog.of(kind),
    name: key.name,
    ...(key.namespace ? { namespace: key.namespace } : {}),
    ...(options.subresource ? { subresource: options.subresource } : {}),
  });
  return {
    get: async <T extends KubeObject>(kind: Kind<T>, key: ObjectKey) => {
      const at = target(kind, key);
      return toServed(at.served, entryOf(registry, at).object) as T;
    },
    list: async <T extends KubeObject>(kind: Kind<T>, options: ListOptions = {}) => {
      const served = registry.catalog.of(kind);
      const page = await list(registry, { served, ...options });
      return {
        apiVersion: apiVersionOf(kind),
        kind: `${kind.kind}List`,
        metadata: {
          resourceVersion: String(page.revision),
          ...(page.continue ? { continue: page.continue } : {}),
          ...(page.remaining === undefined ? {} : { remainingItemCount: page.remaining }),
        },
        items: page.entries.map((entry) => toServed(served, entry.object) as T),
      };
    },
    create: async <T extends KubeObject>(kind: Kind<T>, object: Draft<T>, options?: WriteOptions) => {
      const { namespace } = object.metadata;
      const at = target(kind, { name: "", ...(namespace ? { namespace } : {}) });
      const outcome = await runWrite(caller(options), (reg, own) => create(reg, at, copyJson(object), own));
      return toServed(at.served, outcome.entry.object) as T;
    },
    update: async <T extends KubeObject>(kind: Kind<T>, object: T, options?: UpdateOptions) => {
      const at = target(kind, object.metadata, options);
      const write = options?.subresource ? writeSubresource : update;
      const outcome = await runWrite(caller(options), (reg, own) => write(reg, at, copyJson(object), own));
      return toServed(at.served, outcome.entry.object) as T;
    },
    patch: async <T extends KubeObject>(kind: Kind<T>, key: ObjectKey, change: Patch, options?: PatchOptions) => {
      const at = target(kind, key, options);
      const asked = { ...caller(options), force: options?.force ?? false };
      const outcome = await runWrite(asked, (reg, own) => patch(reg, at, copyJson(change), own));
      return toServed(at.served, outcome.entry.object) as T;
    },
    delete: async <T extends KubeObject>(kind: Kind<T>, key: ObjectKey, options: DeleteOptions = {}) => {
      const at = target(kind, key);
      const dryRun = options.dryRun?.includes("All") ?? false;
      const removal = await runWrite({ ...caller(), dryRun }, (reg, own) => remove(reg, at, options, own));
      return removal.state === "gone"
        ? deletionStatus(at, removal.entry)
        : (toServed(at.served, removal.entry.object) as T);
    },
    watch: <T extends KubeObject>(kind: Kind<T>, options: WatchOptions) => watchEvents<T>(registry, kind, options),
  };
}

async function* watchEvents<T extends KubeObject>(
  registry: Registry,
  kind: Kind<T>,
  options: WatchOptions,
): AsyncGenerator<WatchEvent<T>> {
  const { signal, ...request } = options;
  if (signal.aborted) return;
  const served = registry.catalog.of(kind);
  const queue: WatchEvent<T>[] = [];
  let failed: ApiError | undefined;
  const ended = new AbortController();
  let wake: (() => void) | undefined;
  let limit = Infinity;
  const awaken = (): void => wake?.();
  const push = (event: WatchEvent<T>): void => {
    queue.push(event);
    if (queue.length > limit) failed = expired("the reader of this watch is too slow; list again");
    awaken();
  };
  const sink: WatchSink = {
    event: (type, entry) => push({ type, object: toServed(served, entry.object) as T }),
    bookmark: (revision, initialEventsEnd) =>
      push({ type: "BOOKMARK", resourceVersion: String(revision), initialEventsEnd }),
    fail: (error) => {
      failed = error;
      awaken();
    },
  };
  const end = (): void => {
    ended.abort();
    awaken();
  };
  const watching: Watching = startWatch(registry, { served, ...request }, sink);
  // Objects that were there when the watch began are no sign of a slow reader.
  limit = queue.length + maxUnread;
  const timers = [
    ...(options.timeoutSeconds ? [setTimeout(end, options.timeoutSeconds * 1000)] : []),
    ...(options.allowWatchBookmarks
      ? [setInterval(() => watching.live() && sink.bookmark(registry.store.revision, false), bookmarkMs)]
      : []),
  ];
  timers.forEach((timer) => timer.unref());
  signal.addEventListener("abort", end, { once: true });
  try {
    while (!ended.signal.aborted) {
      for (const event of queue.splice(0)) {
        if (ended.signal.aborted) return;
        yield event;
      }
      if (failed) throw failed;
      if (queue.length === 0 && !ended.signal.aborted) await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    watching.stop();
    timers.forEach((timer) => clearTimeout(timer));
    signal.removeEventListener("abort", end);
  }
}
