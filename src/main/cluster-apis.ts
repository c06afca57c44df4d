/** The aggregated APIs of one controller replica: put together from the cluster it serves. */
import { createAccessReviewer } from "../client/review-access.ts";
import { createTokenReviewer } from "../client/review-token.ts";
import { createRevisionMetrics } from "../controllers/metrics-api/revision-metrics.ts";
import { controllerAudience } from "../install/names.ts";
import { askLeader } from "./ask-leader.ts";
import type { Cluster } from "./cluster.ts";
import { eventsApiHandler, type EventsApiDeps } from "./events-api.ts";
import { createFrontProxy } from "./front-proxy.ts";
import type { LoadDoor } from "./load-door.ts";
import { metricsApiHandlers } from "./metrics-api.ts";
import type { ServingHandler } from "./serving-listener.ts";

/** As a controller's pod has it: how it shows other replicas who it is, and where they listen. */
export interface PeerOptions {
  /** Port at which controllers serve. */
  readonly port: number;
  /** File of a token for the audience `ebb-controller`. */
  readonly tokenFile: string;
}

export function clusterMetrics(cluster: Cluster, door: LoadDoor, peers: PeerOptions): readonly ServingHandler[] {
  const { informers, leases: client, clock, namespace } = cluster;
  const reviewToken = createTokenReviewer({ client, clock }, controllerAudience);
  const controller = `system:serviceaccount:${namespace}:ebb-controller`;
  return metricsApiHandlers({
    metrics: createRevisionMetrics({ informers, loadOf: (revision) => door.loadOf(revision) }),
    frontProxy: createFrontProxy({ client, clock }),
    reviewAccess: createAccessReviewer({ client, clock }),
    knowsLoad: () => door.seesAll,
    askLeader: (path) => askLeader(cluster, peers, path),
    isController: async ({ headers }) => {
      const token = /^Bearer +(\S+)$/i.exec(headers.authorization ?? "")?.[1];
      return token !== undefined && (await reviewToken(token))?.name === controller;
    },
    now: () => clock.now(),
  });
}

export type EventsDeskOptions = Pick<EventsApiDeps, "target" | "tokenFile">;

export function clusterEventsApi({ leases: client, clock }: Cluster, options: EventsDeskOptions): ServingHandler {
  return eventsApiHandler({
    ...options,
    frontProxy: createFrontProxy({ client, clock }),
    reviewAccess: createAccessReviewer({ client, clock }),
  });
}
