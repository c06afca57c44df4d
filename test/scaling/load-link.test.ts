/** Routers and autoscalers over real sockets: TLS by a CA of its own, tokens, and connections that break. */
import { createServer, type Server } from "node:https";
import { connect, createServer as createTcpServer, type AddressInfo, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import type { TokenReview } from "../../src/api/authentication/types.gen.ts";
import { serviceUnavailable } from "../../src/api/meta/errors.ts";
import type { Client } from "../../src/client/client.ts";
import { systemClock } from "../../src/client/clock.ts";
import { createTokenReviewer } from "../../src/client/review-token.ts";
import { LoadServer, type LoadSink } from "../../src/controllers/autoscaling/load-server.ts";
import { issueCertificate } from "../../src/pki/certificate.ts";
import { RemoteLoad } from "../../src/router/remote-load.ts";
import { systemClock as routerClock } from "../../src/router/router-clock.ts";
import { loadAudience, loadPath, type LoadHistory } from "../../src/scaling/load-wire.ts";
import type { LoadSample } from "../../src/scaling/load.ts";
import { silentLogger as silent } from "../silent-logger.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

async function eventually(what: () => unknown, expected: unknown = true, withinMs = 8000): Promise<void> {
  const untilMs = Date.now() + withinMs;
  for (;;) {
    try {
      return expect(what()).toEqual(expected);
    } catch (error) {
      if (Date.now() > untilMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

const ca = issueCertificate({ commonName: "ebb", use: "ca", now: Date.now(), days: 10 });
const name = "ebb-controller.ebb-system.svc";
const pair = issueCertificate({ commonName: name, use: "server", hosts: [name], now: Date.now(), days: 1 }, ca);

/** What an autoscaler was told. */
class Told implements LoadSink {
  readonly demands: unknown[] = [];
  readonly reports: LoadSample[] = [];
  readonly history: LoadHistory[] = [];
  readonly wanted = new Set<string>();
  demand(revision: string, waiting: number, _nowMs: number, ready: number): void {
    this.demands.push([revision, waiting, ready]);
  }
  samples(samples: readonly LoadSample[]): void {
    this.reports.push(...samples);
  }
  remember(history: readonly LoadHistory[]): void {
    this.history.push(...history);
  }
  wantsSamples(revision: string): boolean {
    return this.wanted.has(revision);
  }
}

/** The API server as far as it knows tokens: `router…` is a router's, `other` somebody's, any other is bad. */
function tokens(): { readonly client: Client; reviews: number } {
  const state = {
    reviews: 0,
    client: {
      create: async (_kind: unknown, { spec }: TokenReview) => {
        state.reviews++;
        const { token = "", audiences = [] } = spec;
        if (token === "broken") throw serviceUnavailable("nobody answers");
        const user = token.startsWith("router") ? "router" : token;
        const authenticated = user === "router" || user === "other";
        return { status: { authenticated, audiences, user: { username: user } } };
      },
    } as unknown as Client,
  };
  return state;
}

interface Autoscaler {
  readonly told: Told;
  readonly server: LoadServer;
  readonly https: Server;
  /** Its connections so far. */
  readonly sockets: Socket[];
  readonly address: string;
  readonly api: ReturnType<typeof tokens>;
}

async function startAutoscaler(identity = "leader"): Promise<Autoscaler> {
  const told = new Told();
  const api = tokens();
  const server = new LoadServer({
    sink: told,
    clock: systemClock,
    log: silent,
    reviewToken: createTokenReviewer({ client: api.client, clock: systemClock }, loadAudience),
    isRouter: (user) => user.name === "router",
    identity,
  });
  const https = createServer({ cert: pair.certificate, key: pair.key });
  const sockets: Socket[] = [];
  https.on("connection", (socket: Socket) => sockets.push(socket));
  https.on("upgrade", (request, socket, head) => {
    if (!server.upgrade(request, socket, head)) socket.destroy();
  });
  await new Promise<void>((resolve) => https.listen(0, "127.0.0.1", resolve));
  closers.push(() => {
    server.close();
    https.close();
  });
  server.open();
  return { told, server, https, api, sockets, address: `127.0.0.1:${(https.address() as AddressInfo).port}` };
}

function startRouter(router: string, token = "router", trusted = ca.certificate): RemoteLoad {
  const endpoint = async (address: string): Promise<object> => ({
    url: `wss://${address}${loadPath}`,
    ca: trusted,
    servername: name,
    token,
  });
  const load = new RemoteLoad(router, { clock: routerClock, log: silent, endpoint: endpoint as never });
  closers.push(() => load.close());
  return load;
}

async function connected(router: string, { address, server }: Autoscaler): Promise<RemoteLoad> {
  const load = startRouter(router);
  load.follow(address);
  await eventually(() => load.state.connected && server.routers.includes(router));
  return load;
}

const sample = (revision: string, averageConcurrency: number, more: Partial<LoadSample> = {}): LoadSample => ({
  revision,
  averageConcurrency,
  requestCount: averageConcurrency,
  periodS: 1,
  queued: 0,
  readyInstances: 1,
  ...more,
});

test("demand and samples arrive as they were reported", async () => {
  const leader = await startAutoscaler();
  const load = await connected("r1", leader);
  load.demand("default/hello", 1, 0, 0);
  load.samples([sample("default/hello", 2.5, { queued: 1 })], 0);
  await eventually(() => leader.told.reports, [sample("default/hello", 2.5, { queued: 1 })]);
  expect(leader.told.demands).toEqual([["default/hello", 1, 0]]);
});

test("demand that grows fast is told in few messages, and the last number always", async () => {
  const leader = await startAutoscaler();
  const load = await connected("r1", leader);
  for (let waiting = 1; waiting <= 5000; waiting++) load.demand("default/hello", waiting, 0, 0);
  await eventually(() => leader.told.demands.at(-1), ["default/hello", 5000, 0]);
  expect(leader.told.demands.length).toBeLessThan(20);
});

test("two routers' requests wait together, and their loads are one", async () => {
  const leader = await startAutoscaler();
  const [a, b] = [await connected("a", leader), await connected("b", leader)];
  a.demand("default/hello", 3, 0, 0);
  await eventually(() => leader.told.demands.length, 1);
  b.demand("default/hello", 2, 0, 0);
  await eventually(() => leader.told.demands.at(-1), ["default/hello", 5, 0]);
  a.samples([sample("default/other", 1)], 0);
  await eventually(() => leader.told.reports.length, 1);
  b.samples([sample("default/other", 2), sample("default/mine", 4)], 0);
  await eventually(() => leader.told.reports.length, 2);
  a.samples([sample("default/other", 1)], 1000);
  await eventually(() => leader.told.reports.at(-1), sample("default/other", 3));
});

test("an idle revision is reported until the autoscaler has seen enough, and again when it has load", async () => {
  const leader = await startAutoscaler();
  const load = await connected("r1", leader);
  leader.told.wanted.add("default/hello");
  load.samples([sample("default/hello", 1)], 0);
  load.samples([sample("default/hello", 0)], 1000);
  await eventually(() => leader.told.reports.length, 2);
  expect(load.wantsSamples("default/hello")).toBe(true);
  leader.told.wanted.clear();
  load.samples([sample("default/hello", 0)], 2000);
  await eventually(() => load.wantsSamples("default/hello"), false);
  load.samples([sample("default/hello", 1)], 3000);
  expect(load.wantsSamples("default/hello")).toBe(true);
});

test("what waits and the last minute are told to the next leader, and only once to each", async () => {
  const [first, second] = [await startAutoscaler("first"), await startAutoscaler("second")];
  const load = await connected("r1", first);
  load.samples([sample("default/busy", 3), sample("default/hello", 1, { queued: 2 })], 0);
  load.samples([sample("default/busy", 4)], 1000);
  load.demand("default/hello", 2, 0, 0);
  await eventually(() => first.told.demands.length, 1);
  expect(first.told.history).toEqual([]);
  first.server.close();
  await eventually(() => load.state.connected, false);
  load.demand("default/hello", 6, 0, 0);
  load.follow(second.address);
  await eventually(() => second.told.demands, [["default/hello", 6, 0]]);
  expect(second.told.history).toEqual([
    { revision: "default/busy", averageConcurrency: [3, 4], requestCount: [3, 4] },
    { revision: "default/hello", averageConcurrency: [1], requestCount: [1] },
  ]);
  // The connection breaks, the leader stays: it knows the history.
  for (const socket of second.sockets.splice(0)) socket.destroy();
  await eventually(() => load.state.connected, false);
  await eventually(() => second.told.demands.length, 2);
  expect(second.told.history).toHaveLength(2);
});

test("demand that was met meanwhile is not told again", async () => {
  const [first, second] = [await startAutoscaler(), await startAutoscaler()];
  const load = await connected("r1", first);
  load.demand("default/hello", 1, 0, 0);
  load.samples([sample("default/hello", 1)], 0);
  load.demand("default/other", 1, 0, 0);
  load.follow(second.address);
  await eventually(() => second.told.demands, [["default/other", 1, 0]]);
});

test.each([
  ["a token of somebody else", "other"],
  ["a bad token", "bad"],
  ["a token that cannot be checked", "broken"],
])("%s opens nothing", async (_what, token) => {
  const leader = await startAutoscaler();
  const load = startRouter("r1", token);
  load.follow(leader.address);
  await eventually(() => leader.api.reviews > 0);
  load.demand("default/hello", 1, 0, 0);
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect([load.state.connected, leader.told.demands, leader.server.routers]).toEqual([false, [], []]);
});

test("an autoscaler with another CA's certificate is not spoken to", async () => {
  const leader = await startAutoscaler();
  const other = issueCertificate({ commonName: "ebb", use: "ca", now: Date.now(), days: 10 });
  const load = startRouter("r1", "router", other.certificate);
  const attempts = new Promise((resolve) => leader.https.once("tlsClientError", resolve));
  load.follow(leader.address);
  await attempts;
  expect([load.state.connected, leader.api.reviews]).toEqual([false, 0]);
});

test("a good token is asked about once, however often its router comes", async () => {
  const leader = await startAutoscaler();
  const load = await connected("r1", leader);
  for (let i = 0; i < 3; i++) {
    for (const socket of leader.sockets.splice(0)) socket.destroy();
    await eventually(() => load.state.connected, false);
    await eventually(() => load.state.connected);
  }
  expect(leader.api.reviews).toBe(1);
});

test("a replica that does not lead sends routers away until it does", async () => {
  const replica = await startAutoscaler();
  replica.server.close();
  const load = startRouter("r1");
  load.demand("default/hello", 1, 0, 0);
  load.follow(replica.address);
  await new Promise((resolve) => setTimeout(resolve, 150));
  expect([load.state.connected, replica.server.seesAll]).toEqual([false, false]);
  replica.server.open();
  await eventually(() => replica.told.demands, [["default/hello", 1, 0]]);
  await eventually(() => replica.server.seesAll);
});

test("a leader that is gone without a word is given up within four seconds", async () => {
  const leader = await startAutoscaler();
  // In between, a wire that can be cut so that neither end hears of it.
  const cut: Socket[] = [];
  const wire = createTcpServer((near) => {
    const far = connect(Number(leader.address.split(":")[1]), "127.0.0.1");
    near.pipe(far).pipe(near);
    cut.push(near, far);
  });
  await new Promise<void>((resolve) => wire.listen(0, "127.0.0.1", resolve));
  closers.push(() => wire.close());
  const load = startRouter("r1");
  load.follow(`127.0.0.1:${(wire.address() as AddressInfo).port}`);
  await eventually(() => leader.server.routers, ["r1"]);
  for (const socket of cut) socket.unpipe().pause();
  await eventually(() => load.state.connected, false, 5000);
  for (const socket of cut) socket.destroy();
});

test("a router that ends takes its load with it", async () => {
  const leader = await startAutoscaler();
  const [a, b] = [await connected("a", leader), await connected("b", leader)];
  a.samples([sample("default/hello", 1)], 0);
  await eventually(() => leader.told.reports.length, 1);
  b.samples([sample("default/hello", 2)], 0);
  b.close();
  await eventually(() => leader.server.routers, ["a"]);
  a.samples([sample("default/hello", 1)], 1000);
  await eventually(() => leader.told.reports.at(-1), sample("default/hello", 1));
});

test("other things than load go both ways under a topic", async () => {
  const leader = await startAutoscaler();
  const heard: unknown[] = [];
  leader.server.onTopic("claims", (router, body) => heard.push([router, body]));
  leader.server.onJoin((router) => leader.server.send(router, "pods", { whole: true }));
  const load = startRouter("a");
  load.onTopic("pods", (body) => heard.push(body));
  load.onConnect(() => load.send("claims", { pod: "p" }));
  load.follow(leader.address);
  await eventually(() => heard.length, 2);
  expect(heard).toEqual(expect.arrayContaining([["a", { pod: "p" }], { whole: true }]));
  leader.server.broadcast("pods", 7);
  await eventually(() => heard.at(-1), 7);
  expect(leader.server.send("nobody", "pods", 1)).toBe(false);
});
