/** Reads request options from a query; unknown parameters are passed over, malformed ones throw 400. */
import { parseDurationNs } from "../../api/meta/duration.ts";
import { badRequest } from "../../api/meta/errors.ts";
import type { ListRequest } from "../registry/list.ts";
import type { WatchRequest } from "../registry/watch.ts";

export type Query = URLSearchParams;

export const textOption = (query: Query, name: string): string | undefined => query.get(name) || undefined;

/** As Go converts query values: present and empty is true, only `false` and `0` are false. */
export function flagOption(query: Query, name: string): boolean | undefined {
  const value = query.get(name);
  return value === null ? undefined : value !== "false" && value !== "0";
}

export function wholeOption(query: Query, name: string): number | undefined {
  const value = textOption(query, name);
  if (value === undefined) return undefined;
  if (!/^-?\d{1,15}$/.test(value)) throw badRequest(`${name}: "${value}" is not a whole number`);
  return Number(value);
}

type Selectors = Pick<
  ListRequest,
  "labelSelector" | "fieldSelector" | "resourceVersion" | "resourceVersionMatch" | "sendInitialEvents"
>;

function selectors(query: Query): Selectors {
  const labelSelector = textOption(query, "labelSelector");
  const fieldSelector = textOption(query, "fieldSelector");
  const resourceVersion = textOption(query, "resourceVersion");
  const resourceVersionMatch = textOption(query, "resourceVersionMatch");
  const sendInitialEvents = flagOption(query, "sendInitialEvents");
  return {
    ...(labelSelector ? { labelSelector } : {}),
    ...(fieldSelector ? { fieldSelector } : {}),
    ...(resourceVersion ? { resourceVersion } : {}),
    ...(resourceVersionMatch ? { resourceVersionMatch } : {}),
    ...(sendInitialEvents === undefined ? {} : { sendInitialEvents }),
  };
}

export function listOptions(query: Query): Omit<ListRequest, "served" | "namespace"> {
  const limit = wholeOption(query, "limit");
  const token = textOption(query, "continue");
  return { ...selectors(query), ...(limit ? { limit } : {}), ...(token ? { continue: token } : {}) };
}

export function watchOptions(query: Query): Omit<WatchRequest, "served" | "namespace"> & { timeoutSeconds?: number } {
  const allowWatchBookmarks = flagOption(query, "allowWatchBookmarks");
  const timeoutSeconds = wholeOption(query, "timeoutSeconds");
  return {
    ...selectors(query),
    ...(allowWatchBookmarks === undefined ? {} : { allowWatchBookmarks }),
    ...(timeoutSeconds && timeoutSeconds > 0 ? { timeoutSeconds } : {}),
  };
}

/** `timeout=32s`: a Go duration; only checked, since nothing here takes that long. */
export function checkTimeout(query: Query): void {
  const value = textOption(query, "timeout");
  if (value !== undefined && parseDurationNs(value) === undefined)
    throw badRequest(`invalid value for query parameter timeout: "${value}" is not a duration`);
}
