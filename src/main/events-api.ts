/**
 * The API group events.ebb.dev of a cluster. kube-apiserver passes its requests to a controller, which has the
 * certificate it trusts; the controller checks the user and passes them on to ebb-events.
 */
import { readFile } from "node:fs/promises";
import { request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import { once } from "node:events";
import { eventsApi, eventsApiResources } from "../api/eventing/events-api.ts";
import {
  failure,
  internalError,
  isApiError,
  methodNotAllowed,
  notFound,
  serviceUnavailable,
  unauthorized,
} from "../api/meta/errors.ts";
import { parseResourcePath, type ResourcePath } from "../apiserver/http/path.ts";
import type { ReviewAccess } from "../client/review-access.ts";
import type { FrontProxy } from "./front-proxy.ts";
import type { ServingHandler } from "./serving-listener.ts";

export interface EventsApiDeps {
  readonly frontProxy: FrontProxy;
  readonly reviewAccess: ReviewAccess;
  /** Host and port of ebb-events. */
  readonly target: { readonly host: string; readonly port: number };
  /** File of a token for the audience `ebb-events`. */
  readonly tokenFile: string;
}

const { group, version } = eventsApi;
const root = `/apis/${group}`;
const verbs: Readonly<Record<string, string>> = { GET: "get", POST: "create", DELETE: "delete" };
/** Longest wait for ebb-events to say something: longer than a minute nobody listens. */
const answerMs = 58_000;

export function eventsApiHandler(deps: EventsApiDeps): ServingHandler {
  return { path: root, handle: (request, response) => withStatus(response, () => pass(deps, request, response)) };
}

/** Answers what is thrown with a Status, while nothing else was said. */
export async function withStatus(response: ServerResponse, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (response.headersSent) return void response.destroy();
    const { status } = isApiError(error)
      ? error
      : internalError(error instanceof Error ? error.message : String(error));
    sendJson(response, status.code ?? 500, status);
  }
}

/** The resource of the group that a path names. Throws 404. */
export function eventsResourceAt(path: string): ResourcePath {
  const found = parseResourcePath(path);
  const name = `${found?.plural}/${found?.subresource}`;
  if (found?.group === group && found.version === version && eventsApiResources.some((one) => one.name === name))
    return found;
  throw failure(404, "NotFound", "the server could not find the requested resource");
}

const sendJson = (response: ServerResponse, code: number, body: object): void =>
  void response.writeHead(code, { "content-type": "application/json" }).end(JSON.stringify(body));

async function pass(deps: EventsApiDeps, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = request.url ?? "/";
  const [path = "/"] = url.split("?", 1);
  const user = await deps.frontProxy(request);
  if (!user) throw unauthorized();
  const document = documentAt(path.replace(/\/$/, ""));
  if (document) return sendJson(response, 200, document);
  await authorize(deps, user, { method: request.method ?? "GET", path: eventsResourceAt(path) });
  const token = (await readFile(deps.tokenFile, "utf8")).trim();
  const headers: Record<string, string> = { authorization: `Bearer ${token}` };
  for (const [name, value] of Object.entries(request.headers))
    if (typeof value === "string" && (name.startsWith("content-") || name.startsWith("ce-"))) headers[name] = value;
  const onward = httpRequest({ ...deps.target, path: url, method: request.method, headers, timeout: answerMs });
  onward.once("timeout", () => onward.destroy(new Error(`no answer within ${answerMs / 1000} s`)));
  response.once("close", () => onward.destroy());
  request.pipe(onward);
  const [answer] = (await once(onward, "response").catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    throw serviceUnavailable(`ebb-events does not answer: ${why}; "kubectl -n ebb-system get pods" shows how it is`);
  })) as [IncomingMessage];
  // From here on it may be silent for as long as no event comes.
  onward.setTimeout(0);
  response.writeHead(answer.statusCode ?? 502, { "content-type": answer.headers["content-type"] ?? "text/plain" });
  response.flushHeaders();
  answer.once("error", () => response.destroy());
  answer.pipe(response);
}

async function authorize(
  { reviewAccess }: Pick<EventsApiDeps, "reviewAccess">,
  user: Parameters<ReviewAccess>[0],
  { method, path }: { readonly method: string; readonly path: ResourcePath },
): Promise<void> {
  const verb = verbs[method];
  const { plural, subresource = "", namespace = "", name = "" } = path;
  if (name === "" || namespace === "") throw notFound({ group, plural }, name);
  const served = eventsApiResources.find((one) => one.name === `${plural}/${subresource}`);
  if (verb === undefined || ![...(served?.reads ?? []), ...(served?.writes ?? [])].some((one) => one === verb))
    throw methodNotAllowed("the server does not allow this method on the requested resource");
  const wanted = { verb, group, version, resource: plural, subresource, namespace, name };
  const { allowed, reason } = await reviewAccess(user, wanted);
  if (allowed) return;
  const what = `User "${user.name}" cannot ${verb} resource "${plural}/${subresource}" in API group "${group}" in the namespace "${namespace}"`;
  throw failure(
    403,
    "Forbidden",
    `${plural}.${group} "${name}" is forbidden: ${what}${reason === "" ? "" : `: ${reason}`}`,
  );
}

/** Discovery: nothing of it is listed or watched. */
function documentAt(path: string): object | undefined {
  const versions = [{ groupVersion: `${group}/${version}`, version }];
  if (path === root)
    return { kind: "APIGroup", apiVersion: "v1", name: group, versions, preferredVersion: versions[0] };
  if (path !== `${root}/${version}`) return undefined;
  return {
    kind: "APIResourceList",
    apiVersion: "v1",
    groupVersion: `${group}/${version}`,
    resources: eventsApiResources.map(({ name, reads, writes }) => ({
      name,
      singularName: "",
      namespaced: true,
      kind: name.startsWith("brokers") ? "Broker" : "Trigger",
      verbs: [...writes, ...reads],
    })),
  };
}
