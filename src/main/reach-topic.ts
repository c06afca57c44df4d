/** What routers tell the leader of instances whose machines do not answer, over the load link. */
import type { LostInstance } from "../controllers/autoscaling/lost-instances.ts";
import type { ReachedInstance } from "../router/machines.ts";
import type { RemoteLoad } from "../router/remote-load.ts";

export const reachTopic = "reach";

/** Undefined for what this version does not understand. */
export function parseReach(body: unknown): { readonly instance: LostInstance; readonly lost: boolean } | undefined {
  if (typeof body !== "object" || body === null) return undefined;
  const { revision, id, node, reachable } = body as Readonly<Record<string, unknown>>;
  if (typeof revision !== "string" || typeof id !== "string" || typeof reachable !== "boolean") return undefined;
  return { instance: { revision, id, node: typeof node === "string" ? node : undefined }, lost: !reachable };
}

/** A router's end: what is to be told, also to a leader that comes later. */
export function tellReach(load: Pick<RemoteLoad, "send" | "onConnect">): (instance: ReachedInstance) => void {
  const unreachable = new Map<string, ReachedInstance>();
  load.onConnect(() => {
    for (const instance of unreachable.values()) load.send(reachTopic, instance);
  });
  return (instance) => {
    if (instance.reachable) unreachable.delete(instance.id);
    else unreachable.set(instance.id, instance);
    load.send(reachTopic, instance);
  };
}
