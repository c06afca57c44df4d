import { beforeEach, expect, test } from "vitest";
import type { Pod, PodStatus, Probe } from "../api/core/types.gen.ts";
import type { Kind } from "../api/meta/kind.ts";
import type { KubeObject } from "../api/meta/object.ts";
import type { Revision } from "../api/serving/types.gen.ts";
import { ManualClock } from "../client/manual-clock.ts";
import { ObjectCache } from "../client/object-cache.ts";
import type { Informers } from "../client/informer.ts";
import { trimPod } from "./pod-facts.ts";
import { followPods } from "./pod-instances.ts";

let pods: ObjectCache<KubeObject>;
let revisions: ObjectCache<KubeObject>;
let clock: ManualClock;
let events: string[];
let failures: string[];
let answers: boolean;
let probed: string[];

beforeEach(() => {
  const fail = (error: unknown): never => {
    throw error;
  };
  pods = new ObjectCache(fail);
  revisions = new ObjectCache(fail);
  clock = new ManualClock();
  events = [];
  failures = [];
  probed = [];
  answers = false;
  const informers = { of: (kind: Kind) => (kind.kind === "Pod" ? pods : revisions) } as unknown as Informers;
  followPods({
    informers,
    clock: { nowMs: () => clock.steadyMs(), after: (ms, run) => clock.after(ms, run) },
    probe: async (host, probe) => {
      probed.push(`${host} ${Object.keys(probe)[0]}`);
      return answers;
    },
    onInstance: ({ type, id, address, protocol }) =>
      events.push(`${type} ${id} ${address.host}:${address.port} ${protocol}`),
    onStartFailure: ({ reason }) => failures.push(reason ?? "none"),
  });
});

let version = 0;

interface Shape {
  readonly probe?: Probe | undefined;
  readonly deleting?: boolean;
  readonly uid?: string;
}

function makePod(status: PodStatus, { probe, deleting = false, uid = "u" }: Shape = {}): Pod {
  const pod: Pod = {
    metadata: {
      name: "p",
      namespace: "ns",
      uid,
      resourceVersion: String(++version),
      labels: { "serving.knative.dev/revision": "r" },
      ...(deleting ? { deletionTimestamp: "2026-01-01T00:00:00Z" } : {}),
    },
    spec: {
      containers: [
        {
          name: "c",
          image: "i",
          ports: [{ name: "user-port", containerPort: 8080 }],
          ...(probe === undefined ? {} : { readinessProbe: probe }),
        },
      ],
    },
    status,
  };
  return trimPod(pod) as Pod;
}

const put = (status: PodStatus, shape: Shape = {}): void => pods.put(makePod(status, shape));
const running = (isReady: boolean, restartCount = 0): PodStatus => ({
  phase: "Running",
  podIP: "10.0.0.1",
  conditions: [{ type: "Ready", status: isReady ? "True" : "False" }],
  containerStatuses: [{ name: "c", image: "i", imageID: "", ready: isReady, restartCount }],
});
const news = (): readonly string[] => events.splice(0);
const settle = (): Promise<void> => clock.advance(0);

test("an instance is ready with the first probe that succeeds, and stays so while the kubelet has not said Ready", async () => {
  put({ phase: "Pending" });
  await settle();
  expect(probed).toEqual([]);
  put(running(false));
  await settle();
  expect(news()).toEqual([]);
  answers = true;
  await clock.advance(10);
  expect(news()).toEqual(["ready u 10.0.0.1:8080 http1"]);
  const looked = probed.length;
  put(running(false));
  put(running(true));
  await clock.advance(1000);
  expect(news()).toEqual([]);
  expect(probed.length).toBe(looked);
});

test("probing goes on for as long as the pod needs, ever less often", async () => {
  put(running(false));
  await clock.advance(9990);
  const soon = probed.length;
  expect(soon).toBeGreaterThan(900);
  await clock.advance(60_000);
  const later = probed.length;
  expect(later - soon).toBeLessThan(1100);
  await clock.advance(10_000);
  expect(probed.length - later).toBeLessThan(60);
  answers = true;
  await clock.advance(200);
  expect(news()).toEqual(["ready u 10.0.0.1:8080 http1"]);
});

test("the kubelet's word alone counts for probes that only it can make", async () => {
  put(running(false), { probe: { exec: { command: ["true"] } } });
  answers = true;
  await clock.advance(1000);
  expect(news()).toEqual([]);
  put(running(true), { probe: { exec: { command: ["true"] } } });
  expect(news()).toEqual(["ready u 10.0.0.1:8080 http1"]);
});

test("a delay before the first probe and a number of successes in a row are kept", async () => {
  answers = true;
  put(running(false), { probe: { tcpSocket: { port: 8080 }, initialDelaySeconds: 2, successThreshold: 3 } });
  await clock.advance(1999);
  expect(probed).toEqual([]);
  await clock.advance(100);
  expect(probed.length).toBe(3);
  expect(news()).toEqual(["ready u 10.0.0.1:8080 http1"]);
});

test("after it was Ready the kubelet's word counts, until a container starts anew", async () => {
  put(running(true));
  expect(news()).toEqual(["ready u 10.0.0.1:8080 http1"]);
  answers = true;
  put(running(false));
  await clock.advance(1000);
  expect(news()).toEqual(["unready u 10.0.0.1:8080 http1"]);
  put(running(false, 1));
  await clock.advance(20);
  expect(news()).toEqual(["ready u 10.0.0.1:8080 http1"]);
});

test("a pod that is being deleted drains at once and is gone when it is gone", async () => {
  put(running(true));
  news();
  put(running(true), { deleting: true });
  expect(news()).toEqual(["draining u 10.0.0.1:8080 http1"]);
  pods.remove(makePod(running(false), { deleting: true }));
  expect(news()).toEqual(["gone u 10.0.0.1:8080 http1"]);
});

test("a pod whose containers have ended is gone, also while its object stays", async () => {
  put(running(true));
  news();
  put({ ...running(false), phase: "Failed" });
  expect(news()).toEqual(["gone u 10.0.0.1:8080 http1"]);
});

test("a pod that is deleted while it is being probed is probed no more", async () => {
  put(running(false));
  await clock.advance(20);
  pods.remove(makePod(running(false)));
  const looked = probed.length;
  answers = true;
  await clock.advance(1000);
  expect(probed.length).toBe(looked);
  expect(news()).toEqual([]);
});

test("an instance speaks what its Revision's port says, also when that is heard of later", async () => {
  put(running(true));
  expect(news()).toEqual(["ready u 10.0.0.1:8080 http1"]);
  const revision: Revision = {
    metadata: { name: "r", namespace: "ns", uid: "r", resourceVersion: "1" },
    spec: { containers: [{ image: "i", ports: [{ name: "h2c", containerPort: 8080 }] }] },
  };
  revisions.put(revision);
  expect(news()).toEqual(["ready u 10.0.0.1:8080 h2c"]);
});

test("why a pod does not start is told once, and taken back when it has", async () => {
  const waiting = (reason: string, message: string): PodStatus => ({
    phase: "Pending",
    containerStatuses: [
      { name: "c", image: "i", imageID: "", ready: false, restartCount: 0, state: { waiting: { reason, message } } },
    ],
  });
  put(waiting("ContainerCreating", ""));
  put(waiting("ErrImagePull", "no such image\nmore"));
  put(waiting("ErrImagePull", "no such image\nmore"));
  put(waiting("ImagePullBackOff", "Back-off"));
  put(running(false));
  expect(failures).toEqual(["ErrImagePull: no such image", "ImagePullBackOff: Back-off", "none"]);
  put({
    phase: "Pending",
    conditions: [{ type: "PodScheduled", status: "False", reason: "Unschedulable", message: "0/1 nodes" }],
  });
  expect(failures.at(-1)).toBe("Unschedulable: 0/1 nodes");
  pods.remove(makePod(running(false)));
  expect(failures.at(-1)).toBe("none");
});
