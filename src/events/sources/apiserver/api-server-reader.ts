/**
 * ApiServerSource: watches objects as the ServiceAccount that the source names, so that its author sees no more than that
 * may. The version up to which changes were delivered is remembered: who takes the source over goes on from there.
 */
import { isExpired, isForbidden, isNotFound } from "../../../api/meta/errors.ts";
import { formatLabelSelector } from "../../../api/meta/label-selector.ts";
import { controllerOf } from "../../../api/meta/owner.ts";
import type { KubeObject } from "../../../api/meta/object.ts";
import { lacksPermission, type ApiServerSettings, type WatchedKind } from "../../../api/sources/api-server-events.ts";
import type { Client } from "../../../client/client.ts";
import { sleep } from "../../../client/clock.ts";
import { compileFilters } from "../../filters/compile-filters.ts";
import type { EventFilter } from "../../filters/filter.ts";
import type { EventValue } from "../../wire/stored-event.ts";
import type { SourceContext, SourceReader } from "../source-reader.ts";
import { untilTaken } from "../until-taken.ts";
import { makeApiServerEvent, type ObjectChange } from "./api-server-event.ts";

/** What was delivered is written down together with what follows soon; a crash in between sends it again. */
const rememberMs = 250;

export const apiServerReader: SourceReader = {
  kind: "ApiServerSource",
  leavesNothing: true,
  async open(given, context) {
    const settings = given as ApiServerSettings;
    const { apiAs } = context;
    if (!apiAs) throw new Error("the API cannot be watched as another account here");
    const api = apiAs({ namespace: context.namespace, name: settings.serviceAccountName });
    const marks = new Marks(context);
    const missed: string[] = [];
    const parts: Parts = { settings, context, client: api.client, marks, missed, filter: filterOf(settings) };
    const places = placesOf(settings);
    try {
      await marks.read(places.map(keyOfPlace));
      for (const place of places) await begin(parts, place);
      await marks.write();
    } catch (error) {
      await api.close();
      throw error;
    }
    const ended = Promise.all(places.map((place) => follow(parts, place)));
    ended.catch((error: unknown) => context.signal.aborted || context.failed(error));
    return {
      async close() {
        await ended.catch(() => undefined);
        await marks.close();
        await api.close();
      },
    };
  },
};

const pauseMs = 100;

interface Parts {
  readonly settings: ApiServerSettings;
  readonly context: SourceContext;
  readonly client: Client;
  readonly marks: Marks;
  /** Since when the source is open. */
  readonly missed: string[];
  readonly filter: EventFilter;
}

/** What one watch is of. */
interface Place extends WatchedKind {
  readonly namespace: string | undefined;
}

function placesOf({ watched, namespaces }: ApiServerSettings): readonly Place[] {
  return watched.flatMap((one): readonly Place[] =>
    one.kind.namespaced && namespaces
      ? namespaces.map((namespace) => ({ ...one, namespace }))
      : [{ ...one, namespace: undefined }],
  );
}

const textOf = ({ selector }: Place): string => (selector ? formatLabelSelector(selector) : "");

const keyOfPlace = (place: Place): string =>
  `${place.kind.group}/${place.kind.plural}/${place.namespace ?? ""}/${textOf(place)}`;

const rangeOf = (place: Place): { readonly namespace?: string; readonly labelSelector?: string } => {
  const labelSelector = textOf(place);
  return {
    ...(place.namespace === undefined ? {} : { namespace: place.namespace }),
    ...(labelSelector === "" ? {} : { labelSelector }),
  };
};

const filterOf = ({ filters }: ApiServerSettings): EventFilter =>
  compileFilters({ filters: (filters ?? []) as NonNullable<Parameters<typeof compileFilters>[0]["filters"]> });

/** What is there already is no change: without a mark, only what comes from now on is told. Rejects with what is missing. */
async function begin({ client, marks, settings, context }: Parts, place: Place): Promise<void> {
  try {
    const { metadata } = await client.list(place.kind, { ...rangeOf(place), limit: 1 });
    if (marks.of(keyOfPlace(place)) === undefined) marks.set(keyOfPlace(place), metadata.resourceVersion ?? "");
  } catch (error) {
    const noAccount = isNotFound(error) && error.status.details?.kind === "serviceaccounts";
    if (!noAccount && !isForbidden(error)) throw error;
    const { kind, namespace } = place;
    const user = `system:serviceaccount:${context.namespace}:${settings.serviceAccountName}`;
    const where = namespace === undefined ? "in all namespaces" : `in Namespace "${namespace}"`;
    throw new Error(
      `User ${user}${lacksPermission}resource "${kind.plural}" in API group "${kind.group}" ${where}: ${noAccount ? "there is no such account" : "bind a role to the account"}`,
      { cause: error },
    );
  }
}

async function follow(parts: Parts, place: Place): Promise<void> {
  const { client, context, marks } = parts;
  const { signal } = context;
  const key = keyOfPlace(place);
  while (!signal.aborted) {
    const resourceVersion = marks.of(key) ?? "";
    const options = { ...rangeOf(place), resourceVersion, allowWatchBookmarks: true, signal };
    try {
      for await (const change of client.watch<KubeObject>(place.kind, options)) {
        if (change.type === "BOOKMARK") marks.set(key, change.resourceVersion);
        else if (await tell(parts, place, change)) marks.set(key, change.object.metadata.resourceVersion ?? "");
        else return;
      }
      // The server ends watches now and then; one that does so at once is not asked all the time.
      await sleep(context.clock, pauseMs, signal).catch(() => undefined);
    } catch (error) {
      if (signal.aborted) return;
      if (!isExpired(error)) throw error;
      await beginAnew(parts, place);
    }
  }
}

/** The API server keeps its history for some minutes: what changed before that is not known any more. */
async function beginAnew(parts: Parts, place: Place): Promise<void> {
  const { marks, context, missed } = parts;
  marks.delete(keyOfPlace(place));
  await begin(parts, place);
  missed.push(`${place.kind.plural} before ${new Date(context.clock.now()).toISOString()}`);
  context.log.warn("changes of objects were missed", { kind: place.kind.kind });
  context.report({ connected: true, facts: { "apiserver.missed": missed.slice(-3).join(", ") } });
}

/** False when the source was closed before somebody had it. */
async function tell({ settings, context, filter }: Parts, { kind }: Place, change: ObjectChange): Promise<boolean> {
  if (!isOwned(settings, change.object)) return true;
  const event = makeApiServerEvent(settings, kind, change);
  const { data: _data, ...attributes } = event;
  if (!filter(attributes as unknown as Readonly<Record<string, EventValue>>)) return true;
  return untilTaken(context, event);
}

function isOwned({ owner: wanted }: ApiServerSettings, object: KubeObject): boolean {
  if (!wanted) return true;
  const owner = controllerOf(object);
  return owner?.kind === wanted.kind && groupOf(owner?.apiVersion) === groupOf(wanted.apiVersion);
}

const groupOf = (apiVersion = ""): string => (apiVersion.includes("/") ? (apiVersion.split("/")[0] ?? "") : "");

/** Up to where each watch is, kept in the source's memory. */
class Marks {
  readonly #context: SourceContext;
  #marks: Record<string, string> = {};
  #isDirty = false;
  #cancel: (() => void) | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(context: SourceContext) {
    this.#context = context;
  }

  /** What is watched no longer is forgotten. */
  async read(keys: readonly string[]): Promise<void> {
    const text = await this.#context.memory.read();
    const known = text === undefined ? {} : (JSON.parse(text) as Record<string, string>);
    this.#marks = Object.fromEntries(Object.entries(known).filter(([key]) => keys.includes(key)));
  }

  of(key: string): string | undefined {
    return this.#marks[key];
  }

  delete(key: string): void {
    delete this.#marks[key];
  }

  set(key: string, version: string): void {
    if (this.#marks[key] === version) return;
    this.#marks[key] = version;
    this.#isDirty = true;
    this.#cancel ??= this.#context.clock.after(rememberMs, () => {
      this.#cancel = undefined;
      void this.write().catch((error: unknown) => this.#context.failed(error));
    });
  }

  write(): Promise<void> {
    this.#writing = this.#writing
      .catch(() => undefined)
      .then(async () => {
        if (!this.#isDirty) return;
        this.#isDirty = false;
        await this.#context.memory.write(JSON.stringify(this.#marks));
      });
    return this.#writing;
  }

  async close(): Promise<void> {
    this.#cancel?.();
    await this.write().catch((error: unknown) => this.#context.log.warn("marks were not written", { err: error }));
  }
}
