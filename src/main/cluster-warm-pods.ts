/** Warm pods of a cluster, as its leading controller keeps and claims them. */
import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { PodKind } from "../api/core/kinds.ts";
import type { Client } from "../client/client.ts";
import { createInformers } from "../client/create-informers.ts";
import type { EventRecorder } from "../client/event-recorder.ts";
import { createTokenReviewer } from "../client/review-token.ts";
import { hostAudience } from "../functions/hosts/protocol.ts";
import { waitingHostCommand, waitingPythonCommand } from "../functions/hosts/host-command.ts";
import { defaultPoolLimits } from "../functions/pool/pool-size.ts";
import { connectHost } from "../functions/pool/remote-host.ts";
import { openBlobFiles } from "../images/blob-files.ts";
import { createWarmPods, type WarmInstanceEvent, type WarmPods } from "../node/warm-pods/create-warm-pods.ts";
import { fetchFunction } from "../node/warm-pods/fetch-function.ts";
import { KnownHosts } from "../node/warm-pods/known-hosts.ts";
import { warmLabels } from "../node/warm-pods/names.ts";
import { claimRecord, openClaimAuthority } from "./claim-authority.ts";
import type { DigestLookup } from "./cluster-digests.ts";
import type { Cluster } from "./cluster.ts";
import { knock } from "../router/knock.ts";
import { trimmed } from "./trim-objects.ts";

export interface WarmPodsSettings {
  /** Image of pods that wait for Node functions; `own`: that of this controller's pod, which holds the host too. */
  readonly nodeImage: string;
  /** Image of pods that wait for Python functions; none do without it. */
  readonly pythonImage?: string;
  /** Waiting in each class of pods, however many classes there are. */
  readonly min: number;
  /** Waiting in each class when nothing happens, where few classes share what there may be. */
  readonly rest: number;
  /** Waiting in each class after the largest of bursts. */
  readonly max: number;
  /** Waiting in all. */
  readonly total: number;
  /** Where functions' layers lie, and how many bytes of them. */
  readonly cacheDir: string;
  readonly cacheBytes: number;
}

export interface WarmPodsParts {
  readonly client: Client;
  readonly recorder: EventRecorder;
  readonly digests: Pick<DigestLookup, "registryOf">;
  readonly onInstance: (event: WarmInstanceEvent) => void;
  readonly onFailure: (revision: string, reason: string | undefined) => void;
  readonly onUncovered: (revisionUid: string) => void;
  readonly isLost: (podUid: string) => boolean;
}

/**
 * A pool that was emptied is full again after about this long: what comes within it must find pods that are there
 * already. Two bursts of ten three seconds apart are one of twenty.
 */
const refillMs = 10_000;

/** Opens the warm pods of this leader; closing lets the pods themselves be. */
export async function openWarmPods(
  { informers, clock, log, namespace, identity }: Cluster,
  { client, recorder, digests, ...told }: WarmPodsParts,
  settings: WarmPodsSettings,
  closers: AsyncDisposableStack,
): Promise<WarmPods> {
  const image = settings.nodeImage === "own" ? await imageOf(client, namespace, identity.podName) : settings.nodeImage;
  const { ca, claimer } = await openClaimAuthority(client, namespace, clock.now());
  const waiting = createInformers(client, {
    log,
    clock,
    scopeOf: () => ({ labelSelector: warmLabels.pool, trim: trimmed }),
  });
  closers.defer(() => waiting.close());
  const review = createTokenReviewer({ client, clock }, hostAudience);
  const known = new KnownHosts({ review, store: claimRecord(client, namespace), clock, log });
  closers.defer(() => known.close());
  await known.open();
  const blobs = openBlobFiles(settings.cacheDir);
  const reserved = new Map<string, number>();
  const warm = createWarmPods(
    {
      client,
      informers,
      waiting,
      clock,
      log,
      recorder,
      ...told,
      connect: (place, believe) => connectHost(place, claimer, believe, (host, port, ms) => knock({ host, port }, ms)),
      known,
      fetch: async (image, within, signal) => {
        const registry = await digests.registryOf(image, { namespace: within, serviceAccountName: "default" });
        const dir = settings.cacheDir;
        const reserve = reserveIn(reserved, settings.cacheBytes);
        try {
          return await fetchFunction({ blobs, dir, reserve }, registry, image, signal);
        } finally {
          await registry.close();
        }
      },
      drop: (digest) => {
        reserved.delete(digest);
        void rm(blobs.file(digest), { force: true }).catch(() => undefined);
      },
      newName: ({ host, key }) => `ebb-warm-${host}-${key}-${randomBytes(4).toString("hex")}`,
    },
    {
      hosts: {
        node: { image, command: waitingHostCommand, ca },
        ...(settings.pythonImage === undefined
          ? {}
          : { python: { image: settings.pythonImage, command: waitingPythonCommand, ca } }),
      },
      minIdle: settings.min,
      restIdle: settings.rest,
      maxIdle: settings.max,
      maxPods: settings.total,
      burstWindowMs: refillMs,
      memoryMs: defaultPoolLimits.memoryMs,
      refillAfterMs: 500,
      calmRefillAfterMs: 2_000,
      startMs: 60_000,
      loadTimeoutMs: 60_000,
      maxClasses: 8,
    },
  );
  closers.defer(() => warm.close());
  return warm;
}

/** However an installation was made, its pods say what they run. */
async function imageOf(client: Client, namespace: string, name: string): Promise<string> {
  const { spec } = await client.get(PodKind, { namespace, name });
  const image = spec.containers[0]?.image;
  if (image) return image;
  throw new Error(`pod ${namespace}/${name} names no image`);
}

function reserveIn(reserved: Map<string, number>, most: number) {
  return (layers: readonly { readonly digest: string; readonly size: number }[]): boolean => {
    const fresh = layers.filter(({ digest }) => !reserved.has(digest));
    const sum = [...reserved.values(), ...fresh.map(({ size }) => size)].reduce((all, size) => all + size, 0);
    if (sum > most) return false;
    for (const { digest, size } of fresh) reserved.set(digest, size);
    return true;
  };
}

/** Where layers are kept in a pod: the rest of its /tmp is for other things. */
export const standardCache = (tmp: string): Pick<WarmPodsSettings, "cacheDir" | "cacheBytes"> => ({
  cacheDir: join(tmp, "ebb-layers"),
  cacheBytes: 192 << 20,
});
