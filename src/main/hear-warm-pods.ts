import { PodKind } from "../api/core/kinds.ts";
import type { Informers } from "../client/informer.ts";
import type { InstanceEvent } from "../router/instance.ts";
import type { ProbeOnce } from "../router/readiness-probe.ts";
import type { RemoteLoad } from "../router/remote-load.ts";
import type { RouterClock } from "../router/router-clock.ts";
import type { Router } from "../router/router.ts";
import { parseWarmFailure, parseWarmInstance, warmTopics } from "./warm-topics.ts";

export interface HearWarmPodsDeps {
  readonly load: Pick<RemoteLoad, "onTopic" | "onConnect" | "send">;
  readonly router: Pick<Router, "applyInstance" | "setStartFailure">;
  readonly informers: Pick<Informers, "of">;
  readonly probe: ProbeOnce;
  readonly clock: Pick<RouterClock, "after">;
}

interface Heard {
  readonly event: InstanceEvent;
  misses: number;
}

const lookMs = 2_000;
/** So many looks in a row that find nobody mean that the instance is gone. */
const mostMisses = 2;

/**
 * A router's side of warm pods: instances that serve before the API says so. Each is this router's to watch until its pod
 * is seen with its revision's labels; from then on the pod itself tells. A leader that comes meanwhile is told of them, for
 * the one that claimed them may not have come to mark them. Returns what ends it.
 */
export function hearWarmPods({ load, router, informers, probe, clock }: HearWarmPodsDeps): () => void {
  const heard = new Map<string, Heard>();
  let cancel: (() => void) | undefined;
  load.onTopic(warmTopics.instance, (body) => {
    const event = parseWarmInstance(body);
    if (!event) return;
    router.applyInstance(event);
    if (event.type === "ready" && !known.has(event.id)) heard.set(event.id, { event, misses: 0 });
    else heard.delete(event.id);
    arm();
  });
  load.onTopic(warmTopics.failure, (body) => {
    const failure = parseWarmFailure(body);
    if (failure) router.setStartFailure(failure);
  });
  load.onConnect(() => {
    for (const { event } of heard.values()) load.send(warmTopics.known, event);
  });
  /** Pods of revisions that there are. */
  const known = new Set<string>();
  const unfollow = informers.of(PodKind).onChange(({ type, object }) => {
    const { uid = "" } = object.metadata;
    if (type === "deleted") known.delete(uid);
    else known.add(uid);
    heard.delete(uid);
  });

  function arm(): void {
    if (heard.size > 0) cancel ??= clock.after(lookMs, () => void look());
  }

  async function look(): Promise<void> {
    await Promise.all(
      [...heard].map(async ([id, one]) => {
        const { host, port } = one.event.address;
        one.misses = (await probe(host, { tcpSocket: { port } })) ? 0 : one.misses + 1;
        if (one.misses < mostMisses || heard.get(id) !== one) return;
        heard.delete(id);
        router.applyInstance({ ...one.event, type: "gone" });
      }),
    );
    cancel = undefined;
    arm();
  }

  return () => {
    unfollow();
    cancel?.();
    heard.clear();
  };
}
