import { describe, expect, test } from "vitest";
import type { Pod } from "../../api/core/types.gen.ts";
import { nodeLossOf, recentDeathOf, startFailureOf } from "./start-failure.ts";

const podWith = (terminated: {
  readonly exitCode: number;
  readonly reason: string;
  readonly message: string;
}): Pod => ({
  metadata: { name: "p" },
  spec: { containers: [{ name: "c" }] },
  status: {
    phase: "Running",
    containerStatuses: [
      { name: "c", ready: false, restartCount: 1, image: "i", imageID: "", state: {}, lastState: { terminated } },
    ],
  },
});

test("a container that ended by itself is a start failure with its code and last words", () => {
  const pod = podWith({ exitCode: 3, reason: "Error", message: "no database" });
  expect(startFailureOf([pod])).toEqual({
    part: "container",
    reason: "ExitCode3",
    message: "Container failed with: no database",
  });
});

test("a container of which nothing is known, because the node agent was restarted, is none", () => {
  const pod = podWith({ exitCode: 137, reason: "ContainerStatusUnknown", message: "the node agent was restarted" });
  expect(startFailureOf([pod])).toBeUndefined();
});

describe("the death of an instance that serves again", () => {
  const died = (startedAt: string, exitCode: number, message: string): Pod => ({
    metadata: { name: "p" },
    spec: { containers: [{ name: "c" }] },
    status: {
      containerStatuses: [
        {
          name: "c",
          ready: true,
          restartCount: 1,
          image: "i",
          imageID: "",
          state: { running: { startedAt } },
          lastState: { terminated: { exitCode, reason: "Error", message } },
        },
      ],
    },
  });
  const at = Date.parse("2026-01-01T12:10:00Z");

  test("is told for ten minutes from its restart", () => {
    const pod = died("2026-01-01T12:04:00Z", 137, "OOMKilled: too much");
    expect(recentDeathOf([pod], at)).toEqual({
      failure: { part: "container", reason: "ExitCode137", message: "Container failed with: OOMKilled: too much" },
      forMs: 240_000,
    });
    expect(recentDeathOf([pod], at + 240_000)).toBeUndefined();
  });

  test("is the latest of several", () => {
    const pods = [died("2026-01-01T12:04:00Z", 1, "first"), died("2026-01-01T12:09:00Z", 2, "second")];
    expect(recentDeathOf(pods, at)?.failure.reason).toBe("ExitCode2");
    expect(recentDeathOf(pods.toReversed(), at)?.failure.reason).toBe("ExitCode2");
  });

  test("is none where nothing has died, or nothing runs", () => {
    const [pod] = [podWith({ exitCode: 3, reason: "Error", message: "no database" })];
    expect(recentDeathOf([pod], at)).toBeUndefined();
    expect(recentDeathOf([], at)).toBeUndefined();
  });
});

describe("instances on nodes that are gone", () => {
  const pod = (uid: string, nodeName: string, ready = "True", reason = ""): Pod =>
    ({
      metadata: { name: uid, uid },
      spec: { containers: [], nodeName },
      status: {
        phase: "Running",
        conditions: [
          { type: "ContainersReady", status: "True" },
          { type: "Ready", status: ready, reason },
        ],
      },
    }) as unknown as Pod;
  const lossOf = (pods: readonly Pod[], ...lost: string[]): string | undefined =>
    nodeLossOf(pods, (uid) => lost.includes(uid))?.message;

  test("are those that routers cannot reach", () => {
    const pods = [pod("1", "a"), pod("2", "b"), pod("3", "b")];
    expect(lossOf(pods)).toBeUndefined();
    expect(lossOf(pods, "1")).toBe('1 of 3 instances is on node "a", which does not answer');
    expect(lossOf(pods, "2", "3")).toBe('2 of 3 instances are on node "b", which does not answer');
    expect(lossOf(pods, "1", "2")).toBe('2 of 3 instances are on nodes "a", "b", which do not answer');
  });

  test("and those that Kubernetes has given up, as far as they are still counted", () => {
    expect(lossOf([pod("1", "a", "False"), pod("2", "b")])).toBe(
      '1 of 2 instances is on node "a", which does not answer',
    );
    expect(lossOf([pod("1", "a", "False", "ReadinessGatesNotReady")])).toBeUndefined();
    const leaving = pod("1", "a", "False");
    const ended = { ...leaving, metadata: { ...leaving.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" } };
    expect(lossOf([ended, pod("2", "b")], "1")).toBeUndefined();
  });
});

test("a pod whose gate was lifted a moment ago has not failed to be scheduled; one with a stranger's gate has", () => {
  const conditions = [{ type: "PodScheduled", status: "False", reason: "SchedulingGated", message: "gates" }];
  const pod = (schedulingGates: readonly { readonly name: string }[]): Pod =>
    ({ metadata: { name: "p" }, spec: { containers: [], schedulingGates }, status: { conditions } }) as unknown as Pod;
  expect(startFailureOf([pod([])])).toBe(undefined);
  expect(startFailureOf([pod([{ name: "other.example/gate" }])])).toMatchObject({ reason: "SchedulingGated" });
});
