import { KnativeServiceKind } from "../api/serving/kinds.ts";
import type { Informers } from "../client/informer.ts";

/** Why a host that has no route yet does not answer, in one line; undefined for a host nobody has asked for. */
export type ExplainHost = (host: string) => string | undefined;

/**
 * Looks for the Service that will have the host: until a first revision is ready there is nothing a route could lead
 * to. Cheap, since anybody can ask for unknown hosts: one look-up, by the name and namespace the host begins with.
 */
export function explainWaitingHosts(informers: Pick<Informers, "of">): ExplainHost {
  const services = informers.of(KnativeServiceKind);
  return (host) => {
    const [name = "", namespace = ""] = host.split(".", 2);
    const status = services.get(`${namespace}/${name}`)?.status;
    if (!status?.url || status.latestReadyRevisionName || URL.parse(status.url)?.hostname !== host) return undefined;
    const ready = status.conditions?.find(({ type }) => type === "Ready");
    const why = (ready?.message ?? ready?.reason ?? "").trim().split("\n")[0] ?? "";
    return `no revision of service ${namespace}/${name} is ready${why === "" ? "" : `: ${why.slice(0, 300)}`}`;
  };
}
