import { ApiError, badRequest, expired, failure, invalid } from "../../api/meta/errors.ts";
import { fieldError, type FieldError } from "../../api/meta/field-error.ts";
import { keyOf } from "../../api/meta/object.ts";
import type { Entry } from "../storage/entry.ts";
import type { Store } from "../storage/store.ts";
import type { Served } from "./catalog.ts";
import type { Registry } from "./registry.ts";
import { parseSelection, type Selection } from "./selection.ts";

export interface ListRequest {
  readonly served: Served;
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly limit?: number;
  readonly continue?: string;
  readonly resourceVersion?: string;
  readonly resourceVersionMatch?: string;
  readonly sendInitialEvents?: boolean;
}

/** One page of a list, all of one revision. */
export interface Page {
  readonly entries: readonly Entry[];
  readonly revision: number;
  readonly continue?: string;
  /** How many follow this page; only known without selectors. */
  readonly remaining?: number;
}

/** How long a read waits for a revision that is still to come. */
const revisionWaitMs = 3000;

/** Lists with the version rules of the Kubernetes API (resourceVersion, resourceVersionMatch, limit and continue). */
export async function list(registry: Registry, request: ListRequest): Promise<Page> {
  const { store } = registry;
  checkVersionOptions(request);
  const selection = parseSelection(request.served.definition, request);
  if (request.continue) return nextPage(store, request, selection, parseToken(request.continue));
  const revision = parseRevision(request.resourceVersion);
  if (revision !== undefined && revision > 0) await waitForRevision(store, revision);
  if (request.resourceVersionMatch === "Exact" && revision !== undefined)
    return pageAt(store, request, selection, { revision, start: "" });
  const at = store.revision;
  const limit = revision === 0 ? 0 : (request.limit ?? 0);
  return cut(entriesOf(store, request.served, selection), selection, { revision: at, limit, start: "" });
}

/** The current entries a selection can match: one look-up when it names the object, as `kubectl wait` and kn do. */
export function entriesOf(store: Store, served: Served, { namespace, name }: Selection): Entry[] {
  const { namespaced } = served.definition.kind;
  if (name === undefined || (namespaced && namespace === undefined)) return store.list(served.resource, namespace);
  const entry = store.get(served.resource, namespaced ? `${namespace}/${name}` : name);
  return entry ? [entry] : [];
}

/** Number of a resourceVersion; undefined when absent. Throws 400 when it is none. */
export function parseRevision(text: string | undefined): number | undefined {
  if (text === undefined || text === "") return undefined;
  if (!/^\d{1,16}$/.test(text)) throw badRequest(`invalid resource version "${text}": it must be a decimal number`);
  return Number(text);
}

/** Resolves when the store has reached a revision; throws 504 after three seconds as upstream does. */
export async function waitForRevision(store: Store, revision: number): Promise<void> {
  const deadline = performance.now() + revisionWaitMs;
  while (store.revision < revision) {
    if (performance.now() > deadline)
      throw failure(504, "Timeout", `Too large resource version: ${revision}, current: ${store.revision}`, {
        retryAfterSeconds: 1,
        causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
      });
    await new Promise<void>((done) => void setTimeout(done, 20));
  }
}

function checkVersionOptions(request: ListRequest): void {
  const { resourceVersion = "", resourceVersionMatch: match } = request;
  if (request.continue && resourceVersion !== "" && resourceVersion !== "0")
    throw badRequest("specifying resource version is not allowed when using continue");
  const errors: FieldError[] = [];
  if (request.sendInitialEvents !== undefined)
    errors.push(fieldError.forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"));
  if (match) {
    const field = "resourceVersionMatch";
    if (request.continue)
      errors.push(fieldError.forbidden(field, "resourceVersionMatch is forbidden when continue is provided"));
    if (resourceVersion === "")
      errors.push(fieldError.forbidden(field, "resourceVersionMatch is forbidden unless resourceVersion is provided"));
    if (match !== "Exact" && match !== "NotOlderThan")
      errors.push(fieldError.notSupported(field, match, ["Exact", "NotOlderThan", ""]));
    if (match === "Exact" && resourceVersion === "0")
      errors.push(fieldError.forbidden(field, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'));
  }
  if (errors.length > 0) throw invalid({ group: "meta.k8s.io", kind: "ListOptions" }, "", errors);
}

interface Token {
  /** -1: continue with what is there now, however it differs from the earlier pages. */
  readonly revision: number;
  readonly start: string;
}

function parseToken(text: string): Token {
  try {
    const { v, rv, start } = JSON.parse(Buffer.from(text, "base64url").toString()) as Record<string, unknown>;
    if (v === "meta.k8s.io/v1" && typeof rv === "number" && typeof start === "string") return { revision: rv, start };
  } catch (error) {
    throw new ApiError(badRequest("continue key is not valid: it is not a token of this server").status, {
      cause: error,
    });
  }
  throw badRequest("continue key is not valid: it is not a token of this server");
}

const formatToken = ({ revision, start }: Token): string =>
  Buffer.from(JSON.stringify({ v: "meta.k8s.io/v1", rv: revision, start })).toString("base64url");

function nextPage(store: Store, request: ListRequest, selection: Selection, token: Token): Page {
  if (token.revision >= 0) return pageAt(store, request, selection, token);
  const entries = store.list(request.served.resource, selection.namespace);
  return cut(entries, selection, { revision: store.revision, limit: request.limit ?? 0, start: token.start });
}

function pageAt(store: Store, request: ListRequest, selection: Selection, { revision, start }: Token): Page {
  const entries = store.listAt(request.served.resource, revision, selection.namespace);
  if (entries) return cut(entries, selection, { revision, limit: request.limit ?? 0, start });
  const { status } = expired(
    start === ""
      ? "The resourceVersion for the provided list is too old."
      : "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.",
  );
  const metadata = start === "" ? {} : { continue: formatToken({ revision: -1, start }) };
  throw new ApiError({ ...status, metadata });
}

interface Cut extends Token {
  /** 0: no limit. */
  readonly limit: number;
}

function cut(entries: readonly Entry[], selection: Selection, { revision, limit, start }: Cut): Page {
  const found: Entry[] = [];
  for (const [i, entry] of entries.entries()) {
    const key = keyOf(entry.object.metadata);
    if (start !== "" && key < start) continue;
    if (!selection.matches(entry.object)) continue;
    if (limit > 0 && found.length === limit) {
      const last = found.at(-1);
      const token = formatToken({ revision, start: `${last ? keyOf(last.object.metadata) : ""}\0` });
      return {
        entries: found,
        revision,
        continue: token,
        ...(selection.narrowed ? {} : { remaining: entries.length - i }),
      };
    }
    found.push(entry);
  }
  return { entries: found, revision };
}
