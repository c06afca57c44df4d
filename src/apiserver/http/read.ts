import type { ServerResponse } from "node:http";
import type { Served } from "../registry/catalog.ts";
import { list, parseRevision, waitForRevision, type Page } from "../registry/list.ts";
import { entryOf } from "../registry/registry.ts";
import type { Entry } from "../storage/entry.ts";
import { parseAccept, type Form } from "./accept.ts";
import type { HttpDeps, StoredCall } from "./exchange.ts";
import { objectText, partialText } from "./object-text.ts";
import { listOptions, textOption, type Query } from "./query.ts";
import { send } from "./respond.ts";
import { columnDefinitions, rowText, tableText, type TableOptions } from "./tables.ts";
import { targetOf } from "./target.ts";

export async function get(deps: HttpDeps, call: StoredCall, response: ServerResponse): Promise<void> {
  const revision = parseRevision(textOption(call.query, "resourceVersion"));
  if (revision !== undefined && revision > deps.registry.store.revision)
    await waitForRevision(deps.registry.store, revision);
  await sendEntry(deps, call, response, { code: 200, entry: entryOf(deps.registry, targetOf(call)) });
}

export interface SentEntry {
  readonly code: number;
  readonly entry: Entry;
  /** JSON of entry.object, when it is at hand. */
  readonly text?: string | undefined;
}

/** Sends one object in the form its client accepts. */
export async function sendEntry(
  deps: HttpDeps,
  { served, request, query }: StoredCall,
  response: ServerResponse,
  { code, entry, text }: SentEntry,
): Promise<void> {
  const [form] = parseAccept(request.headers.accept);
  if (form?.as === "table") {
    const options = tableOptions(query, form.version, deps.registry.now());
    const row = rowText(served.storage, entry, options, () => objectText(served, entry, text));
    const metadata = `{"resourceVersion":"${entry.revision}"}`;
    send(response, code, tableText(metadata, columnDefinitions(served.storage), [row], form.version));
  } else if (form?.as === "partial") send(response, code, partialText(entry, form.version));
  else await sendText(response, code, objectText(served, entry, text), form);
}

/** Sends JSON text, as YAML when that was asked for. */
async function sendText(response: ServerResponse, code: number, text: string, form?: Form): Promise<void> {
  if (form?.as !== "object" || !form.yaml) return send(response, code, text);
  const { stringify } = await import("yaml");
  send(response, code, stringify(JSON.parse(text)), "application/yaml");
}

export function tableOptions(query: Query, version: string, now: number): TableOptions {
  const include = textOption(query, "includeObject");
  return { version, now, include: include === "None" || include === "Object" ? include : "Metadata" };
}

export async function listResource(deps: HttpDeps, call: StoredCall, response: ServerResponse): Promise<void> {
  const { served, path, query } = call;
  const [form] = parseAccept(call.request.headers.accept);
  const page = await list(deps.registry, {
    served,
    ...listOptions(query),
    ...(path.namespace === undefined ? {} : { namespace: path.namespace }),
  });
  await sendPage(deps, call, response, { page, form });
}

export async function sendPage(
  deps: HttpDeps,
  { served, query }: StoredCall,
  response: ServerResponse,
  { page, form }: { readonly page: Page; readonly form: Form | undefined },
): Promise<void> {
  const metadata = JSON.stringify({
    resourceVersion: String(page.revision),
    ...(page.continue ? { continue: page.continue } : {}),
    ...(page.remaining === undefined ? {} : { remainingItemCount: page.remaining }),
  });
  if (form?.as === "table") {
    const options = tableOptions(query, form.version, deps.registry.now());
    const rows = page.entries.map((entry) => rowText(served.storage, entry, options, () => objectText(served, entry)));
    return send(response, 200, tableText(metadata, columnDefinitions(served.storage), rows, form.version));
  }
  if (form?.as === "partial") {
    const items = page.entries.map((entry) => partialText(entry, form.version)).join(",");
    const head = `{"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/${form.version}"`;
    return send(response, 200, `${head},"metadata":${metadata},"items":[${items}]}`);
  }
  await sendText(response, 200, pageText(served, page, metadata), form);
}

function pageText(served: Served, page: Page, metadata: string): string {
  const items = page.entries.map((entry) => objectText(served, entry, undefined, served.custom)).join(",");
  const { kind } = served.definition.kind;
  return `{"kind":"${kind}List","apiVersion":"${served.apiVersion}","metadata":${metadata},"items":[${items}]}`;
}
