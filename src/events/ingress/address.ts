import { streamKeyOf, type StreamKey, type StreamSpec } from "../../api/eventing/engine.ts";
import { brokerIngress } from "../../api/eventing/keys.ts";

const channelSuffix = "-kn-channel";

/** Where producers inside find a stream, spelt as upstream does: a path of the broker ingress, or a host per channel. */
export function streamUrl({ kind, namespace, name }: Omit<StreamSpec, "uid">, clusterDomain = "cluster.local"): string {
  return kind === "broker"
    ? `http://${brokerIngress.name}.${brokerIngress.namespace}.svc.${clusterDomain}/${namespace}/${name}`
    : `http://${name}${channelSuffix}.${namespace}.svc.${clusterDomain}`;
}

/** Hosts under which a channel is asked for. */
export const channelHost = ({ namespace, name }: Pick<StreamSpec, "namespace" | "name">): string =>
  `${name}${channelSuffix}.${namespace}`;

export type Addressed =
  | { readonly kind: "stream"; readonly key: StreamKey }
  | { readonly kind: "error"; readonly status: 400 | 404; readonly message: string };

/** Which stream a request is for: by its host when that is a channel's, else by its path. */
export function addressedStream(host: string, path: string): Addressed {
  const channel = /^([^.]+)-kn-channel\.([^.:]+)/.exec(host);
  const [pathname = ""] = path.split("?", 1);
  if (channel) {
    if (pathname !== "/" && pathname !== "")
      return { kind: "error", status: 400, message: `a channel takes events at "/", not at "${pathname}"` };
    return {
      kind: "stream",
      key: streamKeyOf({ kind: "channel", namespace: channel[2] ?? "", name: channel[1] ?? "" }),
    };
  }
  if (pathname === "/" || pathname === "")
    return { kind: "error", status: 404, message: "send events to /NAMESPACE/BROKER" };
  const [, namespace, name, ...rest] = pathname.split("/");
  if (!namespace || !name || rest.some((part) => part !== ""))
    return { kind: "error", status: 400, message: `send events to /NAMESPACE/BROKER, not to "${pathname}"` };
  return { kind: "stream", key: streamKeyOf({ kind: "broker", namespace, name }) };
}
