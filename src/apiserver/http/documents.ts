import type { IncomingMessage, ServerResponse } from "node:http";
import type { HttpDeps } from "./exchange.ts";
import { makeDiscovery, type Discovery } from "./discovery.ts";
import { send, sendJson } from "./respond.ts";

/** What `kubectl version` shows; its minor keeps clients from warning of skew. */
const versionInfo = {
  major: "1",
  minor: "36",
  gitVersion: "v1.36.0-ebb",
  gitCommit: "",
  gitTreeState: "clean",
  buildDate: "2026-01-01T00:00:00Z",
  goVersion: "none",
  compiler: "node",
  platform: `${process.platform}/${process.arch === "x64" ? "amd64" : process.arch}`,
} as const;

const aggregatedType = /application\/json;(?=[^,]*as=APIGroupDiscoveryList)[^,]*v=(v2beta1|v2)\b/;

/** A handler of one path or of everything below one, answering true when it was its to answer. */
export type DocumentHandler = (path: string, request: IncomingMessage, response: ServerResponse) => boolean;

/** Serves version and discovery. */
export function documentHandler(deps: HttpDeps): DocumentHandler {
  const { catalog } = deps.registry;
  let known: { readonly version: number; readonly discovery: Discovery } | undefined;
  const discovery = (): Discovery => {
    if (known?.version !== catalog.version)
      known = { version: catalog.version, discovery: makeDiscovery(catalog, deps.virtual) };
    return known.discovery;
  };
  return (path, request, response) => {
    switch (path) {
      case "/version":
        sendJson(response, 200, versionInfo);
        return true;
      case "/api":
      case "/apis":
        sendRoot(discovery(), path === "/api", request, response);
        return true;
      default:
        return sendGroup(discovery(), path, response);
    }
  };
}

function sendRoot(discovery: Discovery, core: boolean, request: IncomingMessage, response: ServerResponse): void {
  const version = aggregatedType.exec(request.headers.accept ?? "")?.[1];
  response.setHeader("Vary", "Accept");
  if (!version) return sendJson(response, 200, core ? discovery.coreVersions() : discovery.groupList());
  response.setHeader("ETag", discovery.etag);
  if (request.headers["if-none-match"] === discovery.etag) {
    response.statusCode = 304;
    response.end();
    return;
  }
  const type = `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;
  send(response, 200, JSON.stringify(discovery.aggregated(core, version)), type);
}

/** `/api/v1`, `/apis/G` and `/apis/G/V`. */
function sendGroup(discovery: Discovery, path: string, response: ServerResponse): boolean {
  const parts = path.split("/").filter((part) => part !== "");
  const [root, first = "", second, ...more] = parts;
  if (more.length > 0 || first === "") return false;
  let document: object | undefined;
  if (root === "api" && second === undefined) document = discovery.resourceList("", first);
  else if (root === "apis")
    document = second === undefined ? discovery.group(first) : discovery.resourceList(first, second);
  if (!document) return false;
  sendJson(response, 200, document);
  return true;
}
