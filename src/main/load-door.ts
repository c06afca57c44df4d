import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { createTokenReviewer } from "../client/review-token.ts";
import { LoadServer, type LoadSink } from "../controllers/autoscaling/load-server.ts";
import { loadAudience } from "../scaling/load-wire.ts";
import type { Cluster } from "./cluster.ts";

/** Where routers come with their load: open while this replica leads. */
export interface LoadDoor {
  /** Whether all load there is comes in here. */
  readonly seesAll: boolean;
  /** Takes routers in for this autoscaler; the result sends them away. */
  open(sink: LoadSink): () => void;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean;
}

/** `routers` are the users who may report. */
export function createLoadDoor(
  { client, clock, log, identity }: Pick<Cluster, "client" | "clock" | "log" | "identity">,
  routers: readonly string[],
): LoadDoor {
  const mayReport = new Set(routers);
  const reviewToken = createTokenReviewer({ client, clock }, loadAudience);
  const closed: LoadSink = {
    demand: () => undefined,
    samples: () => undefined,
    remember: () => undefined,
    wantsSamples: () => false,
  };
  let sink = closed;
  const server = new LoadServer({
    sink: {
      demand: (...told) => sink.demand(...told),
      samples: (...told) => sink.samples(...told),
      remember: (...told) => sink.remember(...told),
      wantsSamples: (revision) => sink.wantsSamples(revision),
    },
    clock,
    log,
    reviewToken,
    isRouter: ({ name }) => mayReport.has(name),
    identity: identity.holder,
  });
  return {
    get seesAll() {
      return server.seesAll;
    },
    open(opened) {
      sink = opened;
      server.open();
      return () => {
        server.close();
        sink = closed;
      };
    },
    upgrade: (request, socket, head) => server.upgrade(request, socket, head),
  };
}
