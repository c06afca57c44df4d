/** Warm pods against the real API server and the controllers of Deployments and ReplicaSets; hosts and kubelet are played. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { DeploymentKind, ReplicaSetKind } from "../../src/api/apps/kinds.ts";
import { PodKind, SecretKind } from "../../src/api/core/kinds.ts";
import type { Pod } from "../../src/api/core/types.gen.ts";
import { forbidden } from "../../src/api/meta/errors.ts";
import type { Draft } from "../../src/api/meta/object.ts";
import { RevisionKind } from "../../src/api/serving/kinds.ts";
import type { Revision } from "../../src/api/serving/types.gen.ts";
import type { Client } from "../../src/client/client.ts";
import { HostLoadError } from "../../src/functions/pool/host-process.ts";
import { ClaimLost, ClaimRefused, type Believe, type RemoteHost } from "../../src/functions/pool/remote-host.ts";
import { createWarmPods, type WarmInstanceEvent, type WarmPods } from "../../src/node/warm-pods/create-warm-pods.ts";
import { KnownHosts, type HostRecord } from "../../src/node/warm-pods/known-hosts.ts";
import { GatedPods } from "../../src/node/warm-pods/gated-pods.ts";
import type { FunctionImage } from "../../src/node/warm-pods/fetch-function.ts";
import { createTestPlane, finishDeletion, type TestPlane } from "../controllers/test-plane.ts";

type Push = Parameters<RemoteHost["claim"]>[0];

interface PlayedHost {
  readonly address: string;
  readonly claimed: Push[];
  /** What it answers to a claim. */
  answer: () => Promise<{ readonly port: number }>;
  close(): void;
}

let plane: TestPlane;
let warm: WarmPods;
let hosts: Map<string, PlayedHost>;
let events: WarmInstanceEvent[];
let failures: (string | undefined)[];
let told: string[];
let refuse: boolean;
let dead: boolean;
let gated: GatedPods;
let names = 0;
/** Uids of pods, which are their tokens too, by address. */
let tokens: Map<string, string>;
/** What leaders write down of hosts. */
let record: HostRecord;
/** Who waits for TokenReviews. */
let reviews: string[];
let keyOf: (address: string) => string;
let runtime: string;
/** Hosts do not listen yet. */
let slow: boolean;
/** What a function is cannot be found out yet. */
let unknown: Promise<unknown> | undefined;
/** Uids of pods that routers cannot reach. */
let lost: Set<string>;

let image: FunctionImage;
const nodeImage: FunctionImage = {
  host: "node",
  claim: { entry: "/app/index.mjs", model: "auto", cwd: "/app" },
  env: { MODE: "image" },
  layers: [],
};

beforeEach(async () => {
  plane = await createTestPlane({ only: ["replicaset", "deployment", "scheduler"] });
  image = nodeImage;
  runtime = "26.0.0";
  hosts = new Map();
  names = 0;
  tokens = new Map();
  record = {};
  reviews = [];
  keyOf = (address) => `of ${address}`;
  events = [];
  failures = [];
  told = [];
  refuse = false;
  slow = false;
  unknown = undefined;
  lost = new Set();
  dead = false;
  warm = open();
  const { api: client, informers, clock } = plane;
  gated = new GatedPods({ client, informers, clock, log, claimsOf: (uid) => warm.claimsOf(uid) });
  gated.start();
});

afterEach(async () => {
  gated.close();
  warm.close();
  await plane.close();
});

/** Reads what was written down, as a leader does before it begins. */
function openKnown(): KnownHosts {
  const known = new KnownHosts({
    review: (token) => {
      reviews.push(token);
      return Promise.resolve({ name: "pod", groups: [], expiresAtMs: Infinity, podUid: token });
    },
    store: {
      read: () => Promise.resolve(record),
      write: (written) => Promise.resolve(void (record = written)),
    },
    clock: plane.clock,
    log,
  });
  void known.open();
  return known;
}

function open(version = "1"): WarmPods {
  const { informers, clock } = plane;
  const client: Client = {
    ...plane.api,
    create: (kind, object, options) =>
      refuse && (kind as unknown) === PodKind
        ? Promise.reject(forbidden(PodKind, "warm", "exceeded quota: pods"))
        : plane.api.create(kind, object, options),
    patch: (...call) => (dead ? Promise.reject(new Error("the leader is gone")) : plane.api.patch(...call)),
  };
  return createWarmPods(
    {
      client,
      informers,
      waiting: informers,
      clock,
      log: { debug: ignore, info: ignore, warn: ignore, error: ignore, with: () => log, enabled: () => false },
      recorder: { record: ({ reason, message }) => void told.push(`${reason}: ${message}`) },
      connect: ({ address }, believe) => connect(address, believe),
      known: openKnown(),
      fetch: async () => {
        await unknown;
        return image;
      },
      drop: ignore,
      onInstance: (event) => void events.push(event),
      onFailure: (_revision, reason) => void failures.push(reason),
      onUncovered: (uid) => gated.look(uid),
      isLost: (uid) => lost.has(uid),
      newName: ({ key }) => `warm-${key}-${version}-${names++}`,
    },
    {
      hosts: {
        node: { image: `host:${version}`, command: ["host"], ca: "ca" },
        python: { image: `python:${version}`, command: ["python"], ca: "ca" },
      },
      minIdle: 2,
      restIdle: 2,
      maxIdle: 8,
      maxPods: 10,
      burstWindowMs: 1_000,
      memoryMs: 120_000,
      refillAfterMs: 100,
      calmRefillAfterMs: 1_000,
      startMs: 60_000,
      loadTimeoutMs: 1_000,
      maxClasses: 2,
    },
  );
}

const ignore = (): void => undefined;
const log = { debug: ignore, info: ignore, warn: ignore, error: ignore, with: () => log, enabled: () => false };

async function connect(address: string, believe: Believe): Promise<RemoteHost> {
  const known = hosts.get(address);
  if (slow) throw new Error("connect ECONNREFUSED");
  if (known && known.claimed.length > 0) throw new Error("connect ECONNREFUSED");
  const closed = Promise.withResolvers<void>();
  const host: PlayedHost = known ?? {
    address,
    claimed: [],
    answer: () => Promise.resolve({ port: 8080 }),
    close: () => closed.resolve(),
  };
  await believe({ fingerprint: keyOf(address), token: tokens.get(address) ?? "" });
  hosts.set(address, host);
  return {
    runtime,
    closed: closed.promise,
    claim(push) {
      host.claimed.push(push);
      return host.answer();
    },
    close: () => closed.resolve(),
  };
}

const functionImage = `registry.example/hello@sha256:${"1".repeat(64)}`;
const revisionKey = { namespace: "default", name: "hello-1" };

/** A Revision of scale zero with its Deployment. */
async function addRevision(
  env: readonly object[] = [],
  { replicas = 0, gates = [{ name: "ebb.dev/claim" }] }: { replicas?: number; gates?: readonly object[] } = {},
): Promise<Revision> {
  const revision = await plane.api.create(RevisionKind, {
    metadata: { ...revisionKey, labels: { "serving.knative.dev/routingState": "active" } },
    spec: { containers: [{ image: functionImage }] },
  } as unknown as Draft<Revision>);
  const uid = revision.metadata.uid ?? "";
  const labels = { app: "hello-1", "serving.knative.dev/revision": "hello-1", "serving.knative.dev/revisionUID": uid };
  const container = {
    name: "user-container",
    image: functionImage,
    ports: [{ name: "user-port", containerPort: 8080 }],
    env: [{ name: "PORT", value: "8080" }, ...env],
  };
  await plane.api.create(DeploymentKind, {
    metadata: { name: "hello-1-deployment", namespace: "default", labels },
    spec: {
      replicas,
      selector: { matchLabels: { "serving.knative.dev/revisionUID": uid } },
      template: {
        metadata: { name: "", labels, annotations: { note: "kept" } },
        spec: { containers: [container], schedulingGates: gates },
      },
    },
  } as never);
  return revision;
}

const live = async (): Promise<readonly Pod[]> => (await plane.pods()).filter((pod) => !pod.metadata.deletionTimestamp);
const isWarm = ({ metadata }: Pod): boolean => metadata.labels?.["ebb.dev/warm-pool"] !== undefined;

/** Plays kubelet for what waits, until as many do. */
async function fill(count: number): Promise<void> {
  for (let round = 0; round < 300 && warm.waiting() !== count; round++) {
    await plane.clock.advance(100);
    for (const pod of await plane.pods()) {
      if (pod.metadata.deletionTimestamp) await finishDeletion(plane.api, pod);
      else if (isWarm(pod) && pod.spec.nodeName && !pod.status?.podIP) await runHost(pod);
    }
  }
  expect(warm.waiting()).toBe(count);
}

async function runHost(pod: Pod): Promise<void> {
  await plane.run([pod]);
  const { namespace = "", name } = pod.metadata;
  const running = await plane.api.get(PodKind, { namespace, name });
  const up = { name: "user-container", restartCount: 0, state: { running: {} } };
  const status = { ...running.status, containerStatuses: [up] };
  tokens.set(running.status?.podIP ?? "", pod.metadata.uid ?? "");
  await plane.api.update(PodKind, { ...running, status } as unknown as Pod, { subresource: "status" });
}

const startAhead = (count = 1): boolean =>
  warm.launcher.startAhead({
    revision: "default/hello-1",
    namespace: "default",
    template: { metadata: { name: "" }, spec: { containers: [] } },
    count,
  });

/** What follows from a claim in the API begins when a burst would be over. */
const quiet = (): Promise<unknown> => plane.clock.advance(400);

const scale = (replicas: number): Promise<unknown> =>
  plane.api.patch(
    DeploymentKind,
    { namespace: "default", name: "hello-1-deployment" },
    { type: "merge", body: { spec: { replicas } } },
  );

const ownerOf = ({ metadata }: Pod): string | undefined => metadata.ownerReferences?.[0]?.kind;

test("a claim reaches the host in the turn of the demand, and the instance is told of before the API", async () => {
  await plane.api.create(SecretKind, { metadata: { name: "s", namespace: "default" }, data: { word: "czNjcmV0" } });
  await addRevision([{ name: "WORD", valueFrom: { secretKeyRef: { name: "s", key: "word" } } }]);
  warm.start();
  await fill(2);
  expect(startAhead()).toBe(true);
  const [claimed] = [...hosts.values()].filter((host) => host.claimed.length > 0);
  expect(claimed?.claimed[0]).toMatchObject({
    host: "node",
    claim: { entry: "/app/index.mjs", env: { MODE: "image", PORT: "8080", WORD: "s3cret" } },
  });
  await plane.clock.settle(1);
  expect(events).toMatchObject([
    { type: "ready", revision: "default/hello-1", address: { host: claimed?.address, port: 8080 } },
  ]);
  // Asked again before anything is written, there is nothing more to do.
  expect(startAhead()).toBe(true);
  expect([...hosts.values()].filter((host) => host.claimed.length > 0)).toHaveLength(1);
});

test("a claimed pod becomes its ReplicaSet's, keeps serving, and the pod made for it goes", async () => {
  const revision = await addRevision();
  warm.start();
  await fill(2);
  startAhead();
  const uid =
    events[0]?.id ??
    (
      await plane.until(
        () => Promise.resolve(events),
        (all) => all.length > 0,
        "the instance",
      )
    )[0]?.id;
  await quiet();
  const claimed = async (): Promise<Pod> => {
    const pod = (await plane.pods()).find(({ metadata }) => metadata.uid === uid);
    if (!pod) throw new Error("the claimed pod was deleted");
    return pod;
  };
  const marked = await plane.until(claimed, (pod) => ownerOf(pod) === "Revision", "the marks of the revision");
  expect(marked.metadata.labels).toMatchObject({
    "serving.knative.dev/revisionUID": revision.metadata.uid,
    "ebb.dev/claimed-host": "node",
  });
  expect(marked.metadata.labels).not.toHaveProperty("ebb.dev/warm-pool");
  expect(marked.metadata.labels).not.toHaveProperty("pod-template-hash");
  expect(marked.metadata.annotations).toMatchObject({
    note: "kept",
    "ebb.dev/function-image": functionImage,
  });
  // A ReplicaSet of size zero must not see it.
  await plane.clock.settle(20);
  expect(ownerOf(await claimed())).toBe("Revision");
  await scale(1);
  await plane.until(claimed, (pod) => ownerOf(pod) === "ReplicaSet", "its adoption");
  const mine = await plane.until(
    async () => (await live()).filter((pod) => !isWarm(pod)),
    (pods) => pods.length === 1,
    "one pod of the revision",
  );
  expect(mine[0]?.metadata.uid).toBe(uid);
  const [set] = (await plane.api.list(ReplicaSetKind)).items;
  expect(set?.spec.replicas).toBe(1);
});

const ofRevision = async (): Promise<readonly Pod[]> => (await live()).filter((pod) => !isWarm(pod));
const isHeld = ({ spec }: Pod): boolean => (spec.schedulingGates ?? []).length > 0;

test("the pod that a ReplicaSet makes for one that serves already is never scheduled", async () => {
  await addRevision();
  warm.start();
  await fill(2);
  const scheduled = new Set<string>();
  plane.informers.of(PodKind).onChange(({ object }) => {
    if (!isWarm(object) && object.metadata.labels?.["ebb.dev/claimed-host"] === undefined && object.spec.nodeName)
      scheduled.add(object.metadata.name);
  });
  startAhead();
  await quiet();
  await plane.until(live, (pods) => pods.some((pod) => ownerOf(pod) === "Revision"), "the marks of the revision");
  await scale(1);
  await plane.until(
    ofRevision,
    (pods) => pods.some((pod) => ownerOf(pod) === "ReplicaSet" && !isHeld(pod)),
    "adoption",
  );
  await plane.until(ofRevision, (pods) => pods.length === 1, "one pod of the revision");
  await plane.clock.advance(5_000);
  expect(scheduled).toEqual(new Set());
  expect(await ofRevision()).toHaveLength(1);
});

test("pods beyond those that claims cover are let go at once", async () => {
  await addRevision();
  warm.start();
  await fill(2);
  expect(startAhead(5)).toBe(false);
  await quiet();
  await scale(5);
  const free = async (): Promise<readonly Pod[]> =>
    (await ofRevision()).filter((pod) => !isHeld(pod) && pod.metadata.labels?.["ebb.dev/claimed-host"] === undefined);
  await plane.until(free, (pods) => pods.length === 3, "three pods of its own");
  await plane.until(ofRevision, (pods) => pods.length === 5 && !pods.some(isHeld), "five pods, all of them running");
  await plane.clock.advance(5_000);
  expect(await free()).toHaveLength(3);
});

test("a pool is not filled while the pods of a burst that it did not cover start", async () => {
  await addRevision();
  warm.start();
  await fill(2);
  startAhead(5);
  await scale(5);
  const free = async (): Promise<readonly Pod[]> =>
    (await ofRevision()).filter(
      (pod) => pod.spec.nodeName && pod.metadata.labels?.["ebb.dev/claimed-host"] === undefined,
    );
  const own = await plane.until(free, (pods) => pods.length === 3, "three pods of its own");
  await plane.clock.advance(3_000);
  expect((await live()).filter(isWarm)).toEqual([]);
  await plane.run(own);
  await fill(3);
});

test("a pod is let go when the claim in its place comes to nothing", async () => {
  await addRevision();
  warm.start();
  await fill(2);
  const claim = Promise.withResolvers<{ readonly port: number }>();
  for (const host of hosts.values()) host.answer = () => claim.promise;
  startAhead();
  await scale(1);
  const [held] = await plane.until(ofRevision, (pods) => pods.length === 1, "the ReplicaSet's pod");
  await plane.clock.settle(20);
  expect((await ofRevision()).map(isHeld)).toEqual([true]);
  claim.reject(new HostLoadError("ImportFailed", "broken"));
  const freed = await plane.until(ofRevision, (pods) => !pods.some(isHeld), "its being let go");
  expect(freed.map(({ metadata }) => metadata.uid)).toEqual([held?.metadata.uid]);
});

test("a pod that no claim has to do with is let go at once", async () => {
  warm.start();
  await addRevision([], { replicas: 1 });
  await plane.until(ofRevision, (pods) => pods.length === 1 && !pods.some(isHeld), "its being let go");
});

test("a rollout goes on while pods of the former template run", async () => {
  warm.start();
  await addRevision([], { replicas: 1 });
  await plane.until(ofRevision, (pods) => pods.length === 1 && !pods.some(isHeld), "a pod");
  await plane.run(await ofRevision());
  await plane.api.patch(
    DeploymentKind,
    { namespace: "default", name: "hello-1-deployment" },
    { type: "merge", body: { spec: { template: { metadata: { annotations: { note: "other" } } } } } },
  );
  const others = async (): Promise<readonly Pod[]> =>
    (await ofRevision()).filter(({ metadata }) => metadata.annotations?.["note"] === "other");
  await plane.until(others, (pods) => pods.length === 1 && !pods.some(isHeld), "the new pod's being let go");
});

test("whether a Revision can be claimed for is known from its image before its Deployment is made", async () => {
  await addRevision();
  warm.start();
  const [deployment] = (await plane.api.list(DeploymentKind)).items;
  if (!deployment) throw new Error("there is no Deployment");
  const asked = { ...deployment, metadata: { ...deployment.metadata, name: "other" } };
  expect(await warm.mayBeClaimed(asked)).toBe(true);
  const volumes = [{ name: "v", emptyDir: {} }];
  const unfit = { ...asked.spec.template, spec: { ...asked.spec.template.spec, volumes } };
  expect(await warm.mayBeClaimed({ ...asked, spec: { ...asked.spec, template: unfit } } as never)).toBe(false);
});

test("nothing is written while claims are on their way", async () => {
  await addRevision();
  warm.start();
  await fill(2);
  const claim = Promise.withResolvers<{ readonly port: number }>();
  startAhead();
  for (const host of hosts.values()) if (host.claimed.length === 0) host.answer = () => claim.promise;
  startAhead(2);
  await plane.clock.advance(1_000);
  expect((await live()).map(ownerOf)).not.toContain("Revision");
  claim.resolve({ port: 8080 });
  await quiet();
  const marked = await plane.until(
    live,
    (pods) => pods.filter((pod) => ownerOf(pod) === "Revision").length === 2,
    "the marks of the revision",
  );
  expect(marked.length).toBeGreaterThan(0);
});

test("a host that is long in listening is waited for", async () => {
  slow = true;
  await addRevision();
  warm.start();
  const made = await plane.until(
    async () => (await live()).filter(({ spec }) => spec.nodeName),
    (pods) => pods.length === 2,
    "two pods",
  );
  for (const pod of made) await runHost(pod);
  await plane.clock.advance(30_000);
  slow = false;
  await fill(2);
  expect((await live()).map(({ metadata }) => metadata.uid).toSorted()).toEqual(
    made.map(({ metadata }) => metadata.uid).toSorted(),
  );
});

test("a host from before that nobody can claim is replaced", async () => {
  await addRevision();
  warm.start();
  await fill(2);
  warm.close();
  slow = true;
  warm = open();
  const before = new Set((await live()).map(({ metadata }) => metadata.uid));
  warm.start();
  await plane.clock.advance(12_000);
  slow = false;
  await fill(2);
  expect((await live()).filter(({ metadata }) => before.has(metadata.uid))).toEqual([]);
});

test("a pool that was drawn from is filled again, and grows with bursts", async () => {
  await addRevision();
  warm.start();
  await fill(2);
  expect(startAhead(5)).toBe(false);
  expect([...hosts.values()].filter((host) => host.claimed.length > 0)).toHaveLength(2);
  await fill(3);
});

test("pods of an older image serve until there are enough of the new one", async () => {
  await addRevision();
  warm.start();
  await fill(2);
  await writtenDown();
  warm.close();
  warm = open("2");
  // What was written down is read before, on a cluster.
  await plane.clock.settle(1);
  warm.start();
  const images = async (): Promise<readonly (string | undefined)[]> =>
    (await live()).filter(isWarm).map(({ spec }) => spec.containers[0]?.image);
  await plane.until(images, (all) => all.filter((one) => one === "host:2").length === 2, "pods of the new image");
  expect(warm.waiting()).toBe(2);
  expect(await images()).toContain("host:1");
  for (let round = 0; round < 100 && (await images()).includes("host:1"); round++) {
    for (const pod of await live()) if (isWarm(pod) && !pod.status?.podIP && pod.spec.nodeName) await runHost(pod);
    await plane.clock.advance(500);
  }
  expect(await images()).toEqual(["host:2", "host:2"]);
});

test("a Python function gets pods of Python's image, and only of the version it is built for", async () => {
  image = { ...nodeImage, host: "python", runtime: "3.13", claim: { ...nodeImage.claim, entry: "/app/main.py" } };
  runtime = "3.11.7";
  await addRevision();
  warm.start();
  await fill(2);
  const [pod] = (await live()).filter(isWarm);
  expect(pod?.spec).toMatchObject({
    containers: [{ image: "python:1", command: ["python", "wait"] }],
  });
  expect(startAhead()).toBe(false);
  expect([...hosts.values()].flatMap(({ claimed }) => claimed)).toEqual([]);
});

test("a Python function is claimed for with the version it is built for", async () => {
  image = { ...nodeImage, host: "python", runtime: "3.13" };
  runtime = "3.13.2";
  await addRevision();
  warm.start();
  await fill(2);
  expect(startAhead()).toBe(true);
  expect([...hosts.values()].flatMap(({ claimed }) => claimed)).toMatchObject([{ host: "python", runtime: "3.13" }]);
});

test("a namespace that refuses pods has functions start as ordinary ones, and is told why once", async () => {
  refuse = true;
  await addRevision();
  warm.start();
  await plane.until(
    () => Promise.resolve(told),
    (all) => all.length > 0,
    "an event",
  );
  await plane.clock.advance(30_000);
  expect(told).toEqual([expect.stringMatching(/^WarmPodsRefused: starts as an ordinary pod.*exceeded quota/)]);
  expect(startAhead()).toBe(false);
  refuse = false;
  await plane.clock.advance(60_000);
  await fill(2);
});

/** Plays a kubelet that cannot start what waits. */
async function failToStart(waiting: object): Promise<void> {
  for (const pod of (await live()).filter((one) => isWarm(one) && one.spec.nodeName)) {
    const status = {
      ...pod.status,
      containerStatuses: [{ name: "user-container", restartCount: 0, state: { waiting } }],
    };
    await plane.api.update(PodKind, { ...pod, status } as unknown as Pod, { subresource: "status" });
  }
}

test("pods whose image cannot be pulled are given up within seconds, and the Revision is told why until some wait", async () => {
  const changed: string[] = [];
  await addRevision();
  warm.troubles.onChange((revision) => changed.push(revision));
  warm.start();
  await plane.until(
    async () => (await live()).filter((pod) => isWarm(pod) && pod.spec.nodeName),
    (pods) => pods.length === 2,
    "two pods",
  );
  expect(warm.troubles.of("default/hello-1")).toBeUndefined();
  await failToStart({ reason: "ErrImagePull", message: "401 Unauthorized" });
  await plane.clock.advance(15_000);
  expect(told).toEqual([
    expect.stringMatching(/^WarmPodsNotStarting: starts as an ordinary pod, .*host:1: ErrImagePull: 401 Unauthorized$/),
  ]);
  expect(warm.troubles.of("default/hello-1")).toMatchObject({
    reason: "WarmPodsNotStarting",
    message: expect.stringContaining("401 Unauthorized"),
  });
  expect(changed).toEqual(["default/hello-1"]);
  expect(startAhead()).toBe(false);
  // Another try comes later, and each later than the one before.
  await plane.clock.advance(10_000);
  await failToStart({ reason: "ImagePullBackOff", message: "Back-off" });
  await plane.clock.advance(15_000);
  expect((await live()).filter((pod) => isWarm(pod) && !pod.metadata.deletionTimestamp)).toEqual([]);
  await plane.clock.advance(20_000);
  await fill(2);
  await plane.clock.advance(6_000);
  expect(warm.troubles.of("default/hello-1")).toBeUndefined();
  expect(changed).toHaveLength(2);
});

test("hosts that end as soon as they start are not made again and again", async () => {
  await addRevision();
  warm.start();
  for (let round = 0; round < 40; round++) {
    for (const pod of (await live()).filter((one) => isWarm(one) && one.spec.nodeName)) {
      const lastState = { terminated: { exitCode: 1, message: "cannot find /ebb/host/wait.cjs" } };
      const containerStatuses = [{ name: "user-container", restartCount: 1, state: { running: {} }, lastState }];
      const status = { ...pod.status, containerStatuses };
      await plane.api.update(PodKind, { ...pod, status } as unknown as Pod, { subresource: "status" });
    }
    await plane.clock.advance(500);
  }
  expect(told).toEqual([expect.stringMatching(/WarmPodsNotStarting: .*ended with 1: cannot find/)]);
  // At once, after 10 s and no more within 20 s: two each time.
  expect(names).toBeLessThanOrEqual(4);
});

test("a pool that is half full is left alone until calls pause", async () => {
  await addRevision();
  warm.start();
  await fill(2);
  startAhead(1);
  const made = names;
  await plane.clock.advance(900);
  expect(names).toBe(made);
  await plane.clock.advance(500);
  expect(names).toBe(made + 1);
});

test("where some pods may wait and more are refused, nobody is troubled until none is left", async () => {
  await addRevision();
  warm.start();
  await fill(2);
  refuse = true;
  startAhead(1);
  await plane.clock.advance(60_000);
  expect(warm.waiting()).toBe(1);
  expect(told).toEqual([]);
  startAhead(2);
  await plane.clock.advance(60_000);
  expect(warm.waiting()).toBe(0);
  expect(told).toEqual([expect.stringMatching(/^WarmPodsRefused: /)]);
});

test("pods that wait give way to those that a quota keeps from being made, and come back later", async () => {
  await addRevision();
  warm.start();
  await fill(2);
  const [deployment] = (await plane.api.list(DeploymentKind)).items;
  const message = 'pods "x" is forbidden: exceeded quota: few, requested: pods=1, used: pods=2, limited: pods=2';
  const full = { type: "ReplicaFailure", status: "True", reason: "FailedCreate", message };
  const tell = (status: string): Promise<unknown> =>
    plane.api.patch(
      DeploymentKind,
      { namespace: "default", name: deployment?.metadata.name ?? "" },
      { type: "merge", body: { status: { conditions: [{ ...full, status }] } } },
      { subresource: "status" },
    );
  await tell("True");
  await plane.until(
    async () => (await live()).filter(isWarm),
    (pods) => pods.length === 0,
    "an empty pool",
  );
  expect(told).toEqual([expect.stringMatching(/^WarmPodsGaveWay: .*others need the room they take: .*exceeded quota/)]);
  await tell("False");
  await plane.clock.advance(200_000);
  expect((await live()).filter(isWarm)).toEqual([]);
  await plane.clock.advance(110_000);
  await fill(2);
});

test("a function that does not load is said so, its pod ends, and no more pods are spent on it", async () => {
  await addRevision();
  warm.start();
  await fill(2);
  for (const host of hosts.values()) host.answer = () => Promise.reject(new HostLoadError("ImportFailed", "broken"));
  startAhead();
  await plane.until(
    () => Promise.resolve(failures),
    (all) => all.includes("broken"),
    "the reason",
  );
  expect(startAhead()).toBe(false);
  expect(events).toEqual([]);
  await fill(2);
});

test.each<[string, Error]>([
  ["is somebody else's already", new ClaimRefused("Taken", "came too late")],
  ["is gone", new ClaimLost(false)],
])("when a host %s, another is claimed", async (_what, error) => {
  await addRevision();
  warm.start();
  await fill(2);
  let first = true;
  for (const host of hosts.values())
    host.answer = () => {
      if (!first) return Promise.resolve({ port: 8080 });
      first = false;
      return Promise.reject(error);
    };
  expect(startAhead()).toBe(true);
  await plane.until(
    () => Promise.resolve(events),
    (all) => all.length === 1,
    "the instance",
  );
});

/** Who leads next knows the hosts. */
const writtenDown = async (): Promise<unknown> => plane.clock.advance(1_100);

test("the next leader believes the pods that were written down, asks about none of them, and replaces others", async () => {
  await addRevision();
  warm.start();
  await fill(2);
  await writtenDown();
  const before = (await live()).map(({ metadata }) => metadata.uid ?? "").toSorted();
  expect(Object.keys(record).toSorted()).toEqual(before);
  const [first = "", second = ""] = before;
  record = { [first]: record[first] ?? "" };
  reviews = [];
  warm.close();
  warm = open();
  warm.start();
  await plane.clock.advance(12_000);
  await fill(2);
  const now = (await live()).map(({ metadata }) => metadata.uid ?? "");
  expect(now).toContain(first);
  expect(now).not.toContain(second);
  expect(reviews).not.toContain(first);
  expect(reviews).not.toContain(second);
});

test("a claimed pod is not believed again, whatever answers in its place", async () => {
  await addRevision();
  warm.start();
  await fill(2);
  const claim = Promise.withResolvers<{ readonly port: number }>();
  for (const host of hosts.values()) host.answer = () => claim.promise;
  startAhead();
  const [claimed] = [...hosts.values()].filter((host) => host.claimed.length > 0);
  // The function takes the door's place, with the token that lies in its pod.
  claimed?.claimed.splice(0);
  const pods = await live();
  const pod = pods.find(({ status }) => status?.podIP === claimed?.address);
  keyOf = (address) => `of another process at ${address}`;
  await plane.api.patch(
    PodKind,
    { namespace: "default", name: pod?.metadata.name ?? "" },
    { type: "merge", body: { metadata: { annotations: { touched: "yes" } } } },
  );
  await plane.clock.advance(3_000);
  expect(startAhead(3)).toBe(false);
  expect(claimed?.claimed).toEqual([]);
});

test("the next leader takes over the pods that wait, and the adoption of those that serve", async () => {
  await addRevision();
  warm.start();
  await fill(2);
  await writtenDown();
  startAhead();
  await quiet();
  await plane.until(live, (pods) => pods.some((pod) => ownerOf(pod) === "Revision"), "the marks of the revision");
  warm.close();
  await scale(1);
  await plane.clock.settle(20);
  warm = open();
  warm.start();
  await plane.until(
    live,
    (pods) =>
      pods.some((pod) => ownerOf(pod) === "ReplicaSet" && pod.metadata.labels?.["ebb.dev/claimed-host"] !== undefined),
    "its adoption",
  );
  await fill(2);
});

test("a leader that does not know the functions yet lets the pods be that wait for them", async () => {
  await addRevision();
  warm.start();
  await fill(2);
  const uids = async (): Promise<readonly unknown[]> =>
    (await live())
      .filter(isWarm)
      .map(({ metadata }) => metadata.uid)
      .toSorted();
  const before = await uids();
  // The keys of the hosts are written down.
  await plane.clock.advance(2_000);
  warm.close();
  const known = Promise.withResolvers<void>();
  unknown = known.promise;
  warm = open();
  warm.start();
  await plane.clock.advance(20_000);
  expect(await uids()).toEqual(before);
  known.resolve();
  await plane.clock.advance(20_000);
  expect(await uids()).toEqual(before);
  expect(warm.waiting()).toBe(2);
});

test("pods that wait have a controller, or kubectl drain would refuse to end them", async () => {
  await addRevision();
  warm.start();
  await fill(2);
  const [pod] = (await live()).filter(isWarm);
  expect(pod?.metadata.ownerReferences).toMatchObject([{ kind: "Namespace", name: "default", controller: true }]);
});

test("an instance that nobody can reach does not count: another pod is claimed in its place", async () => {
  await addRevision();
  warm.start();
  await fill(2);
  startAhead();
  await quiet();
  const pods = await plane.until(live, (all) => all.some((pod) => ownerOf(pod) === "Revision"), "the marks");
  expect(startAhead()).toBe(true);
  expect(events.filter(({ type }) => type === "ready")).toHaveLength(1);
  lost.add(pods.find((pod) => ownerOf(pod) === "Revision")?.metadata.uid ?? "");
  expect(startAhead()).toBe(true);
  await plane.until(
    () => Promise.resolve(events.filter(({ type }) => type === "ready")),
    (ready) => ready.length === 2,
    "a second instance",
  );
});

test("on a node that may be gone pods are connected to anew before they are claimed", async () => {
  await addRevision();
  warm.start();
  await fill(2);
  const node = (await live()).find(isWarm)?.spec.nodeName ?? "";
  slow = true;
  warm.doubt(node);
  expect(warm.waiting()).toBe(0);
  expect(startAhead()).toBe(false);
  slow = false;
  await plane.clock.advance(1_000);
  expect(warm.waiting()).toBe(2);
  expect(startAhead()).toBe(true);
});

test("a pod whose leader went before it could mark it is adopted when a router tells of it", async () => {
  await addRevision();
  warm.start();
  await fill(2);
  dead = true;
  startAhead();
  const [event] = await plane.until(
    () => Promise.resolve(events),
    (all) => all.length > 0,
    "the instance",
  );
  warm.close();
  dead = false;
  warm = open();
  warm.start();
  warm.adopt("default/hello-1", event?.id ?? "");
  await quiet();
  await scale(1);
  const adopted = await plane.until(
    live,
    (pods) => pods.some((pod) => pod.metadata.uid === event?.id && ownerOf(pod) === "ReplicaSet"),
    "its adoption",
  );
  expect(adopted.length).toBeGreaterThan(0);
  // It is not taken for a broken one later.
  await plane.clock.advance(30_000);
  expect((await live()).some(({ metadata }) => metadata.uid === event?.id)).toBe(true);
});

test("a claimed pod that its revision has no room for is drained and ended", async () => {
  await addRevision();
  warm.start();
  await fill(2);
  startAhead();
  await quiet();
  await plane.until(live, (pods) => pods.some((pod) => ownerOf(pod) === "Revision"), "the marks of the revision");
  await plane.clock.advance(65_000);
  await plane.until(live, (pods) => !pods.some((pod) => ownerOf(pod) === "Revision"), "its end");
  expect(events.map(({ type }) => type)).toEqual(["ready", "draining"]);
});

test("pods that nothing needs any more are removed", async () => {
  await addRevision();
  warm.start();
  await fill(2);
  await plane.api.delete(DeploymentKind, { namespace: "default", name: "hello-1-deployment" });
  await plane.clock.advance(40_000);
  await plane.until(
    async () => (await live()).filter(isWarm),
    (pods) => pods.length === 0,
    "an empty pool",
  );
});
