import type { Deployment } from "../../api/apps/types.gen.ts";
import type { LocalObjectReference } from "../../api/core/types.gen.ts";
import type { Draft } from "../../api/meta/object.ts";
import type { Client } from "../../client/client.ts";
import type { Clock } from "../../client/clock.ts";
import type { EventRecorder } from "../../client/event-recorder.ts";
import type { Informers } from "../../client/informer.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { LostInstances } from "../autoscaling/lost-instances.ts";

/** What the Serving controllers work with. */
export interface ServingDeps {
  readonly client: Client;
  readonly informers: Informers;
  readonly clock: Clock;
  readonly log: Logger;
  readonly recorder: Pick<EventRecorder, "record">;
  /**
   * Port on which users reach the router over http, shown in external URLs unless it is 80 or 443. Asked when a URL is
   * made, since the port may only be known once the router listens; undefined leaves it out.
   */
  readonly externalPort: () => number | undefined;
  /** Domain of Routes that no config-domain entry covers: `localhost` standalone, `svc.cluster.local` in a cluster. */
  readonly defaultDomain: string;
  /** Seconds that containers go on as before after their pod is to end; none where the node drains its instances itself. */
  readonly podDrainS?: number;
  /** Seconds after which pods leave a node that is lost; absent: as the API server has it, five minutes. */
  readonly leaveNodeS?: number;
  /**
   * The image by digest (`name@sha256:…`), or undefined where its tag is to be used as it is. Rejects with a reason a
   * user understands when there is no such image.
   */
  readonly resolveDigest: ResolveDigest;
  /** Instances that routers cannot reach; absent where all are on one machine. */
  readonly lost?: Pick<LostInstances, "isLost" | "onChange">;
  /** Why no pods wait for functions; absent where none would. */
  readonly warmTroubles?: WarmTroubles;
  /**
   * Whether pods that wait for a function may serve in place of the Deployment's own, so that these must not start before
   * somebody has said that they are needed (claimGate). Asked once, before the Deployment is made.
   */
  readonly mayBeClaimed?: (deployment: Draft<Deployment>) => Promise<boolean>;
}

export interface Trouble {
  readonly reason: string;
  readonly message: string;
}

/** By `namespace/name` of Revisions. */
export interface WarmTroubles {
  of(revision: string): Trouble | undefined;
  onChange(handler: (revision: string) => void): void;
}

export type ResolveDigest = (
  image: string,
  options: { readonly signal: AbortSignal; readonly as: PullsAs },
) => Promise<string | undefined>;

/** Whose logins an image is pulled with: the pod's own, else its service account's. */
export interface PullsAs {
  readonly namespace: string;
  readonly serviceAccountName: string;
  readonly imagePullSecrets?: readonly LocalObjectReference[];
}
