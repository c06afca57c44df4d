import type { ServerResponse } from "node:http";
import { badRequest, unsupportedMediaType } from "../../api/meta/errors.ts";
import type { Patch } from "../../api/meta/requests.ts";
import type { DeleteOptions } from "../../api/meta/types.gen.ts";
import { decodeBody, decodeText, mediaTypeOf, type DecodeOptions } from "../decode/body.ts";
import { create, type Outcome } from "../registry/create.ts";
import { remove, removeAll } from "../registry/delete.ts";
import { list } from "../registry/list.ts";
import { patch } from "../registry/patch.ts";
import { scaleOf } from "../registry/scale.ts";
import { deletionStatus } from "../registry/status.ts";
import { writeSubresource } from "../registry/subresource.ts";
import type { Registry } from "../registry/registry.ts";
import type { Caller } from "../registry/request.ts";
import type { Entry } from "../storage/entry.ts";
import { isObject } from "../schema/json-value.ts";
import { parseAccept } from "./accept.ts";
import { readBody } from "./body.ts";
import type { HttpDeps, StoredCall } from "./exchange.ts";
import { flagOption, listOptions, textOption, wholeOption } from "./query.ts";
import { sendEntry, sendPage } from "./read.ts";
import { sendJson, warningHeader } from "./respond.ts";
import { callerOf, dryRunOf, targetOf } from "./target.ts";

export async function post(deps: HttpDeps, call: StoredCall, response: ServerResponse): Promise<void> {
  await write(deps, call, response, (registry, body, caller) => {
    const { object, duplicates } = decoded(call, body, caller);
    return create(registry, { ...targetOf(call), name: "" }, object, caller, duplicates);
  });
}

export async function put(deps: HttpDeps, call: StoredCall, response: ServerResponse): Promise<void> {
  await write(deps, call, response, (registry, body, caller) => {
    const { object, duplicates } = decoded(call, body, caller);
    return writeSubresource(registry, targetOf(call), object, caller, duplicates);
  });
}

export async function patchResource(deps: HttpDeps, call: StoredCall, response: ServerResponse): Promise<void> {
  await write(deps, call, response, (registry, body, caller) => {
    const { change, duplicates } = patchOf(call, body, caller);
    return patch(registry, targetOf(call), change, caller, duplicates);
  });
}

/** Reads the body, writes, and answers with what is stored then, warnings in headers. */
async function write(
  deps: HttpDeps,
  call: StoredCall,
  response: ServerResponse,
  act: (registry: Registry, body: Buffer, caller: Caller) => Outcome,
): Promise<void> {
  parseAccept(call.request.headers.accept);
  const body = await readBody(call.request);
  const warnings: string[] = [];
  const outcome = await deps.runWrite(callerOf(call, warnings), (registry, caller) => act(registry, body, caller));
  if (warnings.length > 0) response.setHeader("Warning", warnings.map(warningHeader));
  const code = outcome.created ? 201 : 200;
  if (call.path.subresource === "scale") sendJson(response, code, scaleOf(targetOf(call), outcome.entry));
  else await sendEntry(deps, call, response, { code, entry: outcome.entry, text: outcome.change?.text });
}

function decoded(call: StoredCall, body: Buffer, caller: Caller): { object: unknown; duplicates: readonly string[] } {
  const { object, duplicates } = decodeBody(body, call.request.headers["content-type"], strictness(caller));
  return { object, duplicates: duplicates.map(duplicateText) };
}

const strictness = (caller: Caller): DecodeOptions => ({ strict: caller.fieldValidation !== "Ignore" });
const duplicateText = (path: string): string => `duplicate field "${path}"`;

const patchTypes: Readonly<Record<string, Patch["type"]>> = {
  "application/json-patch+json": "json",
  "application/merge-patch+json": "merge",
  "application/strategic-merge-patch+json": "strategic",
  "application/apply-patch+yaml": "apply",
};

interface DecodedPatch {
  readonly change: Patch;
  readonly duplicates: readonly string[];
}

function patchOf(call: StoredCall, body: Buffer, caller: Caller): DecodedPatch {
  const type = patchTypes[mediaTypeOf(call.request.headers["content-type"])];
  if (!type)
    throw unsupportedMediaType(
      `the body of the request was in an unknown format - accepted media types include: ${Object.keys(patchTypes).join(", ")}`,
    );
  const { value, duplicates: paths } = decodeText(body, strictness(caller));
  const duplicates = paths.map(duplicateText);
  // Whether the operations make sense is the patch's own business: it answers 400 with the place.
  if (type === "json") return { change: { type, body: value as never }, duplicates };
  if (!isObject(value)) throw badRequest(`the ${type} patch must be an object`);
  return { change: { type, body: value }, duplicates };
}

export async function deleteOne(deps: HttpDeps, call: StoredCall, response: ServerResponse): Promise<void> {
  const target = targetOf(call);
  const options = await deleteOptions(call);
  const warnings: string[] = [];
  const asked = { ...callerOf(call, warnings), dryRun: isDryRun(call, options) };
  const removal = await deps.runWrite(asked, (registry, caller) => remove(registry, target, options, caller));
  if (warnings.length > 0) response.setHeader("Warning", warnings.map(warningHeader));
  const { entry, change, state } = removal;
  if (state === "gone" && call.served.resource !== "/pods") sendJson(response, 200, deletionStatus(target, entry));
  else await sendEntry(deps, call, response, { code: 200, entry, text: change?.text });
}

export async function deleteCollection(deps: HttpDeps, call: StoredCall, response: ServerResponse): Promise<void> {
  const { served, path, query } = call;
  const [form] = parseAccept(call.request.headers.accept);
  const options = await deleteOptions(call);
  const { namespace } = path;
  const page = await list(deps.registry, { served, ...listOptions(query), ...(namespace ? { namespace } : {}) });
  const caller = { ...callerOf(call, []), dryRun: isDryRun(call, options) };
  const entries: Entry[] = [];
  // One after the other: what was deleted before a webhook refuses stays deleted, as upstream.
  for (const entry of page.entries)
    entries.push(
      ...(await deps.runWrite(caller, (registry, own) => removeAll(registry, { served }, [entry], options, own))),
    );
  await sendPage(deps, call, response, { page: { ...page, entries }, form });
}

const isDryRun = ({ query }: StoredCall, options: DeleteOptions): boolean =>
  dryRunOf([...query.getAll("dryRun"), ...(options.dryRun ?? [])]);

/** DeleteOptions come in the body, in the query, or both; the query wins nothing over a body that speaks. */
async function deleteOptions(call: StoredCall): Promise<DeleteOptions> {
  const { query, request } = call;
  const body = await readBody(request);
  const given: DeleteOptions =
    body.length === 0 ? {} : (decodeBody(body, request.headers["content-type"]).object as DeleteOptions);
  const gracePeriodSeconds = wholeOption(query, "gracePeriodSeconds");
  const propagationPolicy = textOption(query, "propagationPolicy");
  const orphanDependents = flagOption(query, "orphanDependents");
  return {
    ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
    ...(propagationPolicy === undefined ? {} : { propagationPolicy }),
    ...(orphanDependents === undefined ? {} : { orphanDependents }),
    ...given,
  };
}
