/** What the leading controller does beyond what every replica does. */
import type { Client } from "../client/client.ts";
import type { Clock } from "../client/clock.ts";
import { createController } from "../client/create-controller.ts";
import { createEventRecorder } from "../client/event-recorder.ts";
import { LeadershipLost } from "../client/leader-election.ts";
import { createAutoscaling } from "../controllers/autoscaling/pod-autoscaler.ts";
import { servingControllers } from "../controllers/serving-controllers.ts";
import type { ServingDeps } from "../controllers/serving/deps.ts";
import { createDigestLookup, type DigestLookupOptions } from "./cluster-digests.ts";
import type { Cluster } from "./cluster.ts";
import type { LoadDoor } from "./load-door.ts";

export interface LeadOptions extends DigestLookupOptions {
  /** Domain of Routes that no config-domain entry covers. */
  readonly defaultDomain: string;
  /** Port of the router as users see it; absent for 80 and 443. */
  readonly externalPort?: number;
}

/** A leader that leaves by itself has this long to end what it began; it still holds the lease. */
const farewellMs = 1000;

/** Fires when nothing may be written any more: at once when the lease was lost, a moment later on a stop. */
function fenceAfter(signal: AbortSignal, clock: Clock): AbortSignal {
  const fence = new AbortController();
  const close = (): void => fence.abort(signal.reason);
  signal.addEventListener(
    "abort",
    () => (signal.reason instanceof LeadershipLost ? close() : clock.after(farewellMs, close)),
    { once: true },
  );
  return fence.signal;
}

/** Runs the controllers until the signal. */
export async function lead(cluster: Cluster, door: LoadDoor, options: LeadOptions, signal: AbortSignal): Promise<void> {
  const { informers, clock, log } = cluster;
  await using closers = new AsyncDisposableStack();
  const client: Client = cluster.client.until(fenceAfter(signal, clock));
  const core = { client, informers, clock, log };
  const digests = createDigestLookup(core, options);
  const recorder = createEventRecorder(core, "ebb-controller");
  closers.defer(() => recorder.flush());
  const autoscaling = createAutoscaling({ ...core, seesAll: () => door.seesAll });
  const deps: ServingDeps = {
    ...core,
    recorder,
    externalPort: () => options.externalPort,
    defaultDomain: options.defaultDomain,
    resolveDigest: (image, { signal, as }) => digests.resolve(image, as, signal),
  };
  const specs = [...servingControllers(deps), ...autoscaling.controllers];
  const controllers = specs.map((spec) => createController(spec, core));
  closers.defer(async () => {
    await Promise.all(controllers.map((controller) => controller.close()));
  });
  for (const controller of controllers) controller.start(signal);
  closers.defer(door.open(autoscaling.autoscaler));
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
