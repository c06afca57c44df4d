/** The metrics APIs of a cluster: what kube-apiserver asks of a controller on behalf of HPAs and kubectl. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { parseResourcePath, type ResourcePath } from "../apiserver/http/path.ts";
import {
  failure,
  internalError,
  isApiError,
  methodNotAllowed,
  serviceUnavailable,
  unauthorized,
} from "../api/meta/errors.ts";
import type { ReviewAccess } from "../client/review-access.ts";
import type { RevisionMetrics } from "../controllers/metrics-api/revision-metrics.ts";
import { metricsResources, metricsVersions, serveMetrics } from "../controllers/metrics-api/serve-metrics.ts";
import type { FrontProxy } from "./front-proxy.ts";
import type { ServingHandler } from "./serving-listener.ts";

export interface MetricsApiDeps {
  readonly metrics: RevisionMetrics;
  readonly frontProxy: FrontProxy;
  readonly reviewAccess: ReviewAccess;
  /** Whether the load of all revisions is told here: on the leader. */
  readonly knowsLoad: () => boolean;
  /** Has the leader answer; throws an ApiError when it cannot. A question passed on once is not passed on again. */
  readonly askLeader: (path: string) => Promise<{ readonly code: number; readonly body: string }>;
  /** Whether another controller asks, having checked who asked it. */
  readonly isController: (request: IncomingMessage) => Promise<boolean>;
  readonly now: () => number;
}

interface Answer {
  readonly code: number;
  readonly body: string;
}

export function metricsApiHandlers(deps: MetricsApiDeps): readonly ServingHandler[] {
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let answer: Answer;
    try {
      answer = await answerTo(deps, request);
    } catch (error) {
      const { status } = isApiError(error)
        ? error
        : internalError(error instanceof Error ? error.message : String(error));
      answer = { code: status.code ?? 500, body: JSON.stringify(status) };
    }
    response.writeHead(answer.code, {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(answer.body),
    });
    response.end(answer.body);
  };
  return ["/apis", "/openapi"].map((path) => ({ path, handle }));
}

async function answerTo(deps: MetricsApiDeps, request: IncomingMessage): Promise<Answer> {
  if (request.method !== "GET" && request.method !== "HEAD")
    throw methodNotAllowed("the server does not allow this method on the requested resource");
  const url = request.url ?? "/";
  const [path = "/", search = ""] = url.split("?", 2);
  const resource = parseResourcePath(path);
  const user = await deps.frontProxy(request);
  if (!user && !(await deps.isController(request))) throw unauthorized();
  if (!resource) return json(documentAt(path));
  if (!metricsVersions[resource.group]?.includes(resource.version)) throw nothingThere();
  if (user) await authorize(deps, user, resource);
  if (!deps.knowsLoad()) {
    if (user) return deps.askLeader(url);
    throw serviceUnavailable("this controller has begun to lead a moment ago and does not know the load yet");
  }
  const { group, version } = resource;
  const selector = new URLSearchParams(search).get("labelSelector") ?? "";
  return json(serveMetrics(deps.metrics, { group, version, parts: partsOf(resource), selector }, deps.now()));
}

const json = (body: object): Answer => ({ code: 200, body: JSON.stringify(body) });
const nothingThere = (): Error => failure(404, "NotFound", "the server could not find the requested resource");

function partsOf({ namespace, plural, name, subresource, rest }: ResourcePath): readonly string[] {
  const behind = [plural, name, subresource, rest].filter((part) => part !== undefined);
  return namespace === undefined ? behind : ["namespaces", namespace, ...behind];
}

async function authorize(
  { reviewAccess }: MetricsApiDeps,
  user: Parameters<ReviewAccess>[0],
  { group, version, namespace, plural, name, subresource }: ResourcePath,
): Promise<void> {
  const wanted = {
    verb: name === undefined ? "list" : "get",
    group,
    version,
    resource: plural,
    ...(subresource === undefined ? {} : { subresource }),
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
  };
  const { allowed, reason } = await reviewAccess(user, wanted);
  if (allowed) return;
  const resource = `${plural}${subresource === undefined ? "" : `/${subresource}`}.${group}`;
  const place = namespace === undefined ? "at the cluster scope" : `in the namespace "${namespace}"`;
  const what = `User "${user.name}" cannot ${wanted.verb} resource "${plural}" in API group "${group}" ${place}`;
  const about = name === undefined ? resource : `${resource} "${name}"`;
  throw failure(403, "Forbidden", `${about} is forbidden: ${what}${reason === "" ? "" : `: ${reason}`}`);
}

/** Discovery, and as much OpenAPI as kube-apiserver asks of servers behind it: there is nothing to create here. */
function documentAt(path: string): object {
  const groups = Object.entries(metricsVersions);
  const [, root, group, version, ...more] = path.replace(/\/$/, "").split("/");
  if (root === "openapi") {
    if (group === "v2") return { swagger: "2.0", info: { title: "ebb metrics", version: "v1" }, paths: {} };
    if (group === "v3" && version === undefined) return { paths: {} };
    throw nothingThere();
  }
  if (group === undefined)
    return { kind: "APIGroupList", apiVersion: "v1", groups: groups.map(([name]) => groupDocument(name)) };
  const versions = metricsVersions[group];
  if (!versions || more.length > 0) throw nothingThere();
  if (version === undefined) return { kind: "APIGroup", apiVersion: "v1", ...groupDocument(group) };
  if (!versions.includes(version)) throw nothingThere();
  const resources = metricsResources(group).map((facts) => ({ ...facts, singularName: "", verbs: ["get"] }));
  return { kind: "APIResourceList", apiVersion: "v1", groupVersion: `${group}/${version}`, resources };
}

function groupDocument(name: string): object {
  const versions = (metricsVersions[name] ?? []).map((version) => ({ groupVersion: `${name}/${version}`, version }));
  return { name, versions, preferredVersion: versions[0] };
}
