/**
 * `pods/NAME/proxy/…` and `services/NAME/proxy/…`: plain HTTP requests carried to a program behind the API, for
 * `kubectl proxy` and `kubectl get --raw`. NAME may be `NAME:PORT` or `http:NAME:PORT`, PORT a number or a port's name
 * (registry/core/pod/strategy.go and registry/core/service/storage ResourceLocation).
 */
import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import { duplexPair } from "node:stream";
import { pipeline } from "node:stream/promises";
import { ServiceKind } from "../../api/core/kinds.ts";
import type { Endpoints, Pod, Service } from "../../api/core/types.gen.ts";
import { badRequest, notFound, serviceUnavailable } from "../../api/meta/errors.ts";
import type { ResourceCall, SubresourceHandler } from "../http/exchange.ts";
import { findPod, requireNode, type StreamDeps } from "./pod-target.ts";

export interface ProxyDeps extends StreamDeps {
  readonly getService: (namespace: string, name: string) => Service | undefined;
  readonly getEndpoints: (namespace: string, name: string) => Endpoints | undefined;
}

export function proxyHandlers(deps: ProxyDeps): SubresourceHandler[] {
  const handler = (plural: "pods" | "services", locate: typeof podOf): SubresourceHandler => ({
    group: "",
    plural,
    subresource: "proxy",
    handle: (call, response) => serve(deps, call, response, locate),
  });
  return [handler("pods", podOf), handler("services", podOfService)];
}

interface Asked {
  readonly namespace: string;
  readonly name: string;
  readonly port: string;
}

interface Destination {
  readonly podName: string;
  readonly port: number;
}

/** A program without a declared port is reached where every function listens by default. */
const defaultPort = 8080;

function podOf(deps: ProxyDeps, { namespace, name, port }: Asked): Destination {
  const { pod } = findPod(deps, { namespace, name });
  const ports = pod.spec.containers.flatMap((container) => container.ports ?? []);
  if (port === "") return { podName: name, port: ports[0]?.containerPort ?? defaultPort };
  return { podName: name, port: ports.find((one) => one.name === port)?.containerPort ?? toPort(port) };
}

function podOfService({ getService, getEndpoints }: ProxyDeps, { namespace, name, port }: Asked): Destination {
  const service = getService(namespace, name);
  if (!service) throw notFound(ServiceKind, name);
  const { ports = [] } = service.spec;
  const wanted =
    port === "" && ports.length === 1 ? ports[0] : ports.find((one) => one.name === port || String(one.port) === port);
  if (!wanted)
    throw serviceUnavailable(`no service port ${JSON.stringify(port)} found for service ${JSON.stringify(name)}`);
  for (const subset of getEndpoints(namespace, name)?.subsets ?? []) {
    const target = subset.ports?.find((one) => (one.name ?? "") === (wanted.name ?? ""));
    const podName = subset.addresses?.find(({ targetRef }) => targetRef?.kind === "Pod")?.targetRef?.name;
    if (target && podName !== undefined) return { podName, port: target.port };
  }
  throw serviceUnavailable(`no endpoints available for service ${JSON.stringify(name)}`);
}

function toPort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535)
    throw badRequest(`port ${JSON.stringify(text)} is neither a port's name nor a number from 1 to 65535`);
  return port;
}

/** `NAME`, `NAME:PORT` or `SCHEME:NAME:PORT`. */
function readName({ namespace = "", name = "" }: ResourceCall["path"]): Asked {
  const parts = name.split(":");
  const [scheme, own = "", port = ""] = parts.length === 3 ? parts : ["", ...parts];
  if (parts.length > 3 || own === "") throw badRequest(`invalid proxy request ${JSON.stringify(name)}`);
  if (scheme !== "" && scheme !== "http") throw badRequest(`cannot speak ${scheme} to ${own}: only http is carried`);
  return { namespace, name: own, port };
}

async function serve(
  deps: ProxyDeps,
  call: ResourceCall,
  response: ServerResponse,
  locate: typeof podOf,
): Promise<void> {
  const target = targetOf(call.request.url ?? "");
  // Without the last slash the relative links of a page would lead beside it.
  if (target === undefined) return redirect(call.request, response);
  const asked = readName(call.path);
  const { podName, port } = locate(deps, asked);
  const { pod, reference } = findPod(deps, { namespace: asked.namespace, name: podName });
  const node = requireNode(deps, pod);
  const gone = new AbortController();
  response.once("close", () => gone.abort(new Error("the client has gone")));
  const [ours, theirs] = duplexPair();
  const carried = node.portForward(reference, port, theirs, gone.signal);
  try {
    const answer = await send(call.request, { target, host: `${podName}:${port}`, socket: ours, carried });
    response.writeHead(answer.statusCode ?? 502, answer.statusMessage, endToEnd(answer.headers));
    await pipeline(answer, response);
  } catch (error) {
    if (gone.signal.aborted) return;
    if (response.headersSent) return void response.destroy();
    const why = error instanceof Error ? error.message : String(error);
    throw serviceUnavailable(`error trying to reach ${describe(pod, port)}: ${why}`);
  } finally {
    carried.catch(() => undefined);
    ours.destroy();
  }
}

const describe = ({ metadata }: Pod, port: number): string => `port ${port} of pod ${metadata.name}`;

/** What follows `/proxy`, as it was sent; undefined when nothing does. */
function targetOf(url: string): string | undefined {
  const found = /^\/api\/v1\/namespaces\/[^/]+\/(?:pods|services)\/[^/]+\/proxy(\/[^?]*)?(\?.*)?$/.exec(url);
  return found?.[1] === undefined ? undefined : found[1] + (found[2] ?? "");
}

function redirect({ url = "" }: IncomingMessage, response: ServerResponse): void {
  const [path, query] = url.split("?");
  response.writeHead(301, { location: `${path}/${query === undefined ? "" : `?${query}`}` });
  response.end();
}

interface Sending {
  readonly target: string;
  readonly host: string;
  readonly socket: ReturnType<typeof duplexPair>[0];
  /** Rejects when the program cannot be reached. */
  readonly carried: Promise<void>;
}

async function send(request: IncomingMessage, { target, host, socket, carried }: Sending): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  carried.then(() => reject(new Error("the connection was closed without an answer")), reject);
  const headers = { ...endToEnd(request.headers), host };
  const { method = "GET" } = request;
  const sent = httpRequest({ method, path: target, headers, createConnection: () => socket }, resolve);
  sent.once("error", reject);
  request.pipe(sent);
  return await promise;
}

const hopByHop = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  // Whom the API trusts is none of the program's business.
  "authorization",
]);

function endToEnd(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const named = new Set((headers.connection ?? "").toLowerCase().split(/\s*,\s*/));
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !hopByHop.has(name) && !named.has(name)));
}
