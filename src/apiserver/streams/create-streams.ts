/** Everything the API server serves straight from the nodes: logs, exec, attach, port-forward, usage. */
import type { Duplex } from "node:stream";
import { badRequest } from "../../api/meta/errors.ts";
import type { Kind } from "../../api/meta/kind.ts";
import { matchesLabels, parseLabelSelector } from "../../api/meta/label-selector.ts";
import type { KubeObject } from "../../api/meta/object.ts";
import type { ResourceCall, SubresourceHandler, VirtualCall, VirtualResource } from "../http/exchange.ts";
import { serveLog, serveLogOverWebSocket } from "./pod-logs.ts";
import { nodeMetrics, NodeMetricsKind, oneNamed, podMetrics, PodMetricsKind, type PodMetrics } from "./pod-metrics.ts";
import type { PodPlace } from "./pod-target.ts";
import { proxyHandlers, type ProxyDeps } from "./proxy.ts";
import { servePortForward } from "./port-forward.ts";
import { serveRemoteCommand } from "./remote-command.ts";
import type { UpgradeRequest } from "./upgrade.ts";

export interface StreamsDeps extends ProxyDeps {
  /** Nodes that are connected. */
  readonly nodeNames: () => readonly string[];
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export interface Streams {
  readonly subresources: readonly SubresourceHandler[];
  readonly virtual: readonly VirtualResource[];
}

type Upgrade = UpgradeRequest & { readonly query: URLSearchParams };
type ServeUpgrade = (place: PodPlace, upgrade: Upgrade) => Promise<void>;

/** What to hand to the API server; calls come in authenticated and authorized. */
export function createStreams(deps: StreamsDeps): Streams {
  const upgradeOnly = (subresource: string, serve: ServeUpgrade): SubresourceHandler => ({
    group: "",
    plural: "pods",
    subresource,
    handle: () => Promise.reject(badRequest(`Upgrade request required: ${subresource} speaks WebSocket or SPDY/3.1`)),
    upgrade: upgraded(serve),
  });
  const log: SubresourceHandler = {
    group: "",
    plural: "pods",
    subresource: "log",
    handle: (call, response) => serveLog(deps, placeOf(call), call.query, response),
    upgrade: upgraded((place, upgrade) => serveLogOverWebSocket(deps, place, upgrade)),
  };
  return {
    subresources: [
      log,
      upgradeOnly("exec", (place, upgrade) => serveRemoteCommand(deps, "exec", place, upgrade)),
      upgradeOnly("attach", (place, upgrade) => serveRemoteCommand(deps, "attach", place, upgrade)),
      upgradeOnly("portforward", (place, upgrade) => servePortForward(deps, place, upgrade)),
      ...proxyHandlers(deps),
    ],
    virtual: [usageOf(NodeMetricsKind, () => measureNodes(deps)), usageOf(PodMetricsKind, () => measurePods(deps))],
  };
}

const placeOf = ({ path }: ResourceCall): PodPlace => ({ namespace: path.namespace ?? "", name: path.name ?? "" });

const upgraded =
  (serve: ServeUpgrade) =>
  (call: ResourceCall, socket: Duplex, head: Buffer): Promise<void> =>
    serve(placeOf(call), { request: call.request, socket, head, query: call.query });

function usageOf(kind: Kind, measure: () => readonly KubeObject[]): VirtualResource {
  return {
    kind,
    verbs: ["get", "list"],
    serve: ({ verb, name, namespace, query }: VirtualCall) => {
      const inNamespace = (object: KubeObject): boolean =>
        namespace === undefined || object.metadata.namespace === namespace;
      const measured = measure().filter(inNamespace);
      if (verb === "get") return oneNamed(measured, name ?? "", kind.plural);
      const labels = parseLabelSelector(query.get("labelSelector") ?? "");
      return {
        kind: `${kind.kind}List`,
        apiVersion: "metrics.k8s.io/v1beta1",
        metadata: {},
        items: measured.filter(({ metadata }) => matchesLabels(labels, metadata.labels)),
      };
    },
  };
}

function measureNodes({ nodeNames, connectionFor, now }: StreamsDeps): readonly KubeObject[] {
  return nodeNames().flatMap((name) => {
    const node = connectionFor(name);
    return node ? [nodeMetrics(name, node, now())] : [];
  });
}

function measurePods({ nodeNames, connectionFor, getPod, now }: StreamsDeps): readonly PodMetrics[] {
  const usages = nodeNames().flatMap((name) => connectionFor(name)?.usage() ?? []);
  return usages.flatMap((usage) => podMetrics(usage, getPod(usage.namespace, usage.name), now()) ?? []);
}
