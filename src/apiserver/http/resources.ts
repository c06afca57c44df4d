import type { ServerResponse } from "node:http";
import { failure, methodNotAllowed } from "../../api/meta/errors.ts";
import { resourceNotFound } from "../registry/catalog.ts";
import { readScale } from "../registry/scale.ts";
import { decodeBody } from "../decode/body.ts";
import { readBody } from "./body.ts";
import type { HttpDeps, ResourceCall, StoredCall, SubresourceHandler, VirtualResource } from "./exchange.ts";
import { checkTimeout, flagOption } from "./query.ts";
import { get, listResource } from "./read.ts";
import { sendJson } from "./respond.ts";
import { targetOf } from "./target.ts";
import { watch } from "./watch.ts";
import { deleteCollection, deleteOne, patchResource, post, put } from "./write.ts";

/** The verb of a request as authorization and discovery name it; undefined for methods no resource has. */
export function verbOf(
  method: string | undefined,
  { path, query }: Pick<ResourceCall, "path" | "query">,
): string | undefined {
  const one = path.name !== undefined;
  switch (method) {
    case "GET":
    case "HEAD":
      if (path.watch || (!one && flagOption(query, "watch"))) return "watch";
      return one ? "get" : "list";
    case "POST":
      return "create";
    case "PUT":
      return "update";
    case "PATCH":
      return "patch";
    case "DELETE":
      return one ? "delete" : "deletecollection";
    default:
      return undefined;
  }
}

type Serve = (deps: HttpDeps, call: StoredCall, response: ServerResponse) => Promise<void>;

const verbs: Readonly<Record<string, Serve>> = {
  get,
  list: listResource,
  watch,
  create: post,
  update: put,
  patch: patchResource,
  delete: deleteOne,
  deletecollection: deleteCollection,
};

/** Serves a request for a resource that has passed authentication and authorization. */
export async function serveResource(
  deps: HttpDeps,
  call: ResourceCall,
  verb: string,
  response: ServerResponse,
): Promise<void> {
  checkTimeout(call.query);
  const { path } = call;
  const virtual = deps.virtual.find(
    ({ kind, claimsReads }) =>
      kind.group === path.group && kind.version === path.version && (claimsReads || kind.plural === path.plural),
  );
  if (virtual && (virtual.claimsReads || path.subresource === undefined))
    return await serveVirtual(virtual, call, verb, response);
  const served = deps.registry.catalog.find(path.group, path.version, path.plural);
  if (!served) {
    // Of a group that has nothing else.
    const other = path.name === undefined ? undefined : subresourceAt(deps, call);
    if (!other || other.version !== path.version) throw resourceNotFound();
    return await other.handle(call, response);
  }
  const stored: StoredCall = { ...call, served };
  checkScope(stored, verb);
  if (path.subresource !== undefined) return await serveSubresource(deps, stored, verb, response);
  const allowed = served.definition.verbs;
  const serve = verbs[verb];
  if (!serve || (allowed && !allowed.includes(verb)) || (verb === "create" && path.name !== undefined))
    throw notAllowed();
  await serve(deps, stored, response);
}

const notAllowed = (): Error => methodNotAllowed("the server does not allow this method on the requested resource");

/** A namespaced kind is written inside a namespace only; a cluster-scoped one has none. */
function checkScope({ served, path }: StoredCall, verb: string): void {
  const { namespaced, plural } = served.definition.kind;
  if (!namespaced && path.namespace !== undefined && plural !== "namespaces") throw resourceNotFound();
  if (!namespaced || path.namespace !== undefined) return;
  if (path.name !== undefined && !path.watch) throw resourceNotFound();
  if (verb === "create" || verb === "deletecollection") throw notAllowed();
}

const subresourceAt = ({ subresources }: HttpDeps, { path }: ResourceCall): SubresourceHandler | undefined =>
  subresources.find(
    ({ group, plural, subresource }) =>
      group === path.group && plural === path.plural && subresource === path.subresource,
  );

async function serveSubresource(
  deps: HttpDeps,
  call: StoredCall,
  verb: string,
  response: ServerResponse,
): Promise<void> {
  const { path, served } = call;
  const other = subresourceAt(deps, call);
  if (other) return await other.handle(call, response);
  const { definition } = served;
  const known =
    (path.subresource === "status" && definition.statusSubresource) ||
    (path.subresource === "scale" && definition.scale !== undefined) ||
    (path.subresource === "finalize" && served.resource === "/namespaces");
  if (!known || path.rest !== undefined) throw resourceNotFound();
  if (verb === "get") {
    if (path.subresource === "scale") return sendJson(response, 200, readScale(deps.registry, targetOf(call)));
    return await get(deps, call, response);
  }
  if (verb === "update") return await put(deps, call, response);
  if (verb === "patch" && path.subresource !== "finalize") return await patchResource(deps, call, response);
  throw notAllowed();
}

async function serveVirtual(
  resource: VirtualResource,
  call: ResourceCall,
  verb: string,
  response: ServerResponse,
): Promise<void> {
  const { path, query, user, request } = call;
  if (verb !== "create" && verb !== "get" && verb !== "list") throw notAllowed();
  if (resource.claimsReads ? verb === "create" : !resource.verbs.includes(verb)) throw notAllowed();
  const tablesOnly =
    /as=Table/.test(request.headers.accept ?? "") &&
    !/application\/json(?:,|$)|\*\/\*/.test(request.headers.accept ?? "");
  if (tablesOnly && verb === "create")
    throw failure(406, "NotAcceptable", "only the following media types are accepted: application/json");
  const body =
    verb === "create" ? decodeBody(await readBody(request), request.headers["content-type"]).object : undefined;
  const answer = await resource.serve({
    verb,
    query,
    user,
    plural: path.plural,
    ...(path.subresource === undefined ? {} : { subresource: path.subresource }),
    ...(body ? { body } : {}),
    ...(path.namespace === undefined ? {} : { namespace: path.namespace }),
    ...(path.name === undefined ? {} : { name: path.name }),
  });
  sendJson(response, verb === "create" ? 201 : 200, answer);
}
