import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { createTokenReviewer } from "../client/review-token.ts";
import { bookLoad } from "../controllers/autoscaling/book-load.ts";
import { LostInstances } from "../controllers/autoscaling/lost-instances.ts";
import { LoadServer, type LoadSink } from "../controllers/autoscaling/load-server.ts";
import { createLoadBook, readLoad, type RevisionLoad } from "../scaling/load-book.ts";
import { loadAudience } from "../scaling/load-wire.ts";
import type { Cluster } from "./cluster.ts";
import { parseReach, reachTopic } from "./reach-topic.ts";

/** Where routers come with their load: open while this replica leads. */
export interface LoadDoor {
  /** Whether all load there is comes in here. */
  readonly seesAll: boolean;
  /** Names of the routers that report here. */
  readonly routers: readonly string[];
  /** What the revision carries, while this replica leads. */
  loadOf(revision: string): RevisionLoad;
  /** Takes routers in for this autoscaler; the result sends them away. */
  open(sink: LoadSink): () => void;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean;
  /** Who reads what routers say under a topic. */
  onTopic(topic: string, read: (body: unknown) => void): void;
  /** The instances that routers cannot reach; other ones each time this replica leads. */
  readonly lost: LostInstances;
  /** Tells all routers something else than load. */
  broadcast(topic: string, body: unknown): void;
  /** What a router that has just come is to be told, topic by topic; replaces what was said before. */
  onJoin(tell: () => readonly { readonly topic: string; readonly body: unknown }[]): void;
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
  let book = createLoadBook();
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
  let lost = new LostInstances();
  server.onTopic(reachTopic, (router, body) => {
    const told = parseReach(body);
    if (told) lost.hear(router, told.instance, told.lost);
  });
  server.onLeave((router) => lost.forget(router));
  let greet: () => readonly { readonly topic: string; readonly body: unknown }[] = () => [];
  server.onJoin((router) => {
    for (const { topic, body } of greet()) server.send(router, topic, body);
  });
  return {
    get seesAll() {
      return server.seesAll;
    },
    get routers() {
      return server.routers;
    },
    loadOf: (revision) => readLoad(book, revision, clock.steadyMs()),
    open(opened) {
      book = createLoadBook();
      sink = bookLoad(opened, book, () => clock.steadyMs());
      server.open();
      return () => {
        server.close();
        sink = closed;
        lost = new LostInstances();
        greet = () => [];
      };
    },
    upgrade: (request, socket, head) => server.upgrade(request, socket, head),
    get lost() {
      return lost;
    },
    onTopic: (topic, read) => server.onTopic(topic, (_router, body) => read(body)),
    broadcast: (topic, body) => server.broadcast(topic, body),
    onJoin: (tell) => void (greet = tell),
  };
}
