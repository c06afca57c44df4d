import { describe, expect, test } from "vitest";
import type { Node, Pod, PodSpec, Taint, Toleration } from "../../api/core/types.gen.ts";
import { chooseNode } from "./choose-node.ts";
import { tolerates, unfitReasons, type NodeState } from "./node-filters.ts";
import { NodeLedger } from "./node-ledger.ts";
import { podRequests } from "./pod-resources.ts";

const pod = (spec: Partial<PodSpec> = {}, name = "p"): Pod => ({
  metadata: { name, namespace: "d" },
  spec: { containers: [{ name: "c" }], ...spec },
});
const requests = (cpu: string, memory = "1Gi") => ({ resources: { requests: { cpu, memory } } });
const node = (
  name: string,
  facts: { labels?: Record<string, string>; spec?: Node["spec"]; pods?: string } = {},
): Node => ({
  metadata: { name, labels: facts.labels ?? {} },
  ...(facts.spec ? { spec: facts.spec } : {}),
  status: { allocatable: { cpu: "2", memory: "4Gi", pods: facts.pods ?? "3" } },
});
const empty = (given: Node): NodeState => new NodeLedger().state(given);

describe("requests of a pod", () => {
  test.each<[string, Partial<PodSpec>, number]>([
    [
      "containers add up",
      {
        containers: [
          { name: "a", ...requests("100m") },
          { name: "b", ...requests("200m") },
        ],
      },
      300,
    ],
    [
      "an init container counts alone",
      { containers: [{ name: "a", ...requests("100m") }], initContainers: [{ name: "i", ...requests("1") }] },
      1000,
    ],
    [
      "a sidecar counts beside the containers, and beside init containers after it",
      {
        containers: [{ name: "a", ...requests("100m") }],
        initContainers: [
          { name: "s", restartPolicy: "Always", ...requests("50m") },
          { name: "i", ...requests("300m") },
        ],
      },
      350,
    ],
    [
      "a sidecar after an init container does not",
      {
        containers: [{ name: "a", ...requests("100m") }],
        initContainers: [
          { name: "i", ...requests("120m") },
          { name: "s", restartPolicy: "Always", ...requests("50m") },
        ],
      },
      150,
    ],
    ["overhead comes on top", { containers: [{ name: "a", ...requests("100m") }], overhead: { cpu: "10m" } }, 110],
    [
      "pod-level requests replace the sum",
      { containers: [{ name: "a", ...requests("100m") }], resources: { requests: { cpu: "1" } } },
      1000,
    ],
  ])("%s", (_, spec, millis) => {
    expect(podRequests(pod(spec)).get("cpu")).toBe(millis);
  });
});

describe("tolerations", () => {
  const taint: Taint = { key: "k", value: "v", effect: "NoSchedule" };
  test.each<[string, Toleration, boolean]>([
    ["equal key, value and effect", { key: "k", value: "v", effect: "NoSchedule" }, true],
    ["another value", { key: "k", value: "w" }, false],
    ["any value by Exists", { key: "k", operator: "Exists" }, true],
    ["everything by an empty key", { operator: "Exists" }, true],
    ["an empty key without Exists", { value: "v" }, false],
    ["another effect", { key: "k", operator: "Exists", effect: "NoExecute" }, false],
  ])("%s", (_, toleration, expected) => {
    expect(tolerates(toleration, taint)).toBe(expected);
  });
});

describe("a node is unfit", () => {
  const affinity = (operator: string, values?: readonly string[]): Partial<PodSpec> => ({
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: "zone", operator, ...(values ? { values } : {}) }] }],
        },
      },
    },
  });
  test.each<[string, Partial<PodSpec>, Node, readonly string[]]>([
    ["when cordoned", {}, node("n", { spec: { unschedulable: true } }), ["node(s) were unschedulable"]],
    [
      "when tainted",
      {},
      node("n", { spec: { taints: [{ key: "k", effect: "NoExecute" }] } }),
      ["node(s) had untolerated taint(s)"],
    ],
    [
      "not for a taint that only prefers",
      {},
      node("n", { spec: { taints: [{ key: "k", effect: "PreferNoSchedule" }] } }),
      [],
    ],
    [
      "without a selected label",
      { nodeSelector: { a: "b" } },
      node("n"),
      ["node(s) didn't match Pod's node affinity/selector"],
    ],
    [
      "with a label that is not in",
      affinity("NotIn", ["x"]),
      node("n", { labels: { zone: "x" } }),
      ["node(s) didn't match Pod's node affinity/selector"],
    ],
    ["not with one that is in", affinity("In", ["x", "y"]), node("n", { labels: { zone: "y" } }), []],
    [
      "with a number that is not greater",
      affinity("Gt", ["5"]),
      node("n", { labels: { zone: "5" } }),
      ["node(s) didn't match Pod's node affinity/selector"],
    ],
    [
      "for each resource that is missing",
      { containers: [{ name: "c", ...requests("3", "5Gi") }] },
      node("n"),
      ["Insufficient cpu", "Insufficient memory"],
    ],
    [
      "for a resource it does not have",
      { containers: [{ name: "c", resources: { requests: { "example.test/gpu": "1" } } }] },
      node("n"),
      ["Insufficient example.test/gpu"],
    ],
    ["with too many pods", {}, node("n", { pods: "0" }), ["Too many pods"]],
  ])("%s", (_, spec, given, expected) => {
    expect(unfitReasons(pod(spec), empty(given))).toEqual(expected);
  });

  test("when a host port is taken, on the same or any address", () => {
    const ledger = new NodeLedger();
    const port = (hostPort: number, hostIP?: string): Partial<PodSpec> => ({
      containers: [{ name: "c", ports: [{ containerPort: 1, hostPort, ...(hostIP ? { hostIP } : {}) }] }],
    });
    ledger.put(pod({ ...port(80, "10.0.0.1"), nodeName: "n" }, "taken"));
    const reasons = (spec: Partial<PodSpec>) => unfitReasons(pod(spec), ledger.state(node("n")));
    expect(reasons(port(80))).toEqual(["node(s) didn't have free ports for the requested pod ports"]);
    expect(reasons(port(80, "10.0.0.2"))).toEqual([]);
    expect(reasons(port(81))).toEqual([]);
  });
});

test("the ledger forgets what ended or went, and counts a repeated pod once", () => {
  const ledger = new NodeLedger();
  const given = pod({ containers: [{ name: "c", ...requests("500m") }], nodeName: "n" });
  for (let i = 0; i < 3; i++) ledger.put(given);
  expect(ledger.state(node("n"))).toMatchObject({ podCount: 1 });
  expect(ledger.state(node("n")).requested.get("cpu")).toBe(500);
  ledger.put({ ...given, status: { phase: "Succeeded" } });
  expect(ledger.state(node("n"))).toMatchObject({ podCount: 0 });
});

describe("choice", () => {
  const wanting = pod({ containers: [{ name: "c", ...requests("500m") }] });
  test("the emptier of two nodes", () => {
    const ledger = new NodeLedger();
    ledger.put(pod({ containers: [{ name: "c", ...requests("1") }], nodeName: "a" }, "other"));
    expect(chooseNode(wanting, [ledger.state(node("a")), ledger.state(node("b"))])).toEqual({
      kind: "node",
      name: "b",
    });
  });

  test("a preferred node although it is fuller", () => {
    const ledger = new NodeLedger();
    ledger.put(pod({ containers: [{ name: "c", ...requests("500m") }], nodeName: "a" }, "other"));
    const preference = { matchExpressions: [{ key: "disk", operator: "In", values: ["fast"] }] };
    const affinity = { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, preference }] } };
    const states = [ledger.state(node("a", { labels: { disk: "fast" } })), ledger.state(node("b"))];
    expect(chooseNode(pod({ ...wanting.spec, affinity }), states)).toEqual({ kind: "node", name: "a" });
  });

  test("no node tells how many fail for what", () => {
    const states = [
      node("a", { spec: { unschedulable: true } }),
      node("b", { pods: "0" }),
      node("c", { pods: "0" }),
    ].map(empty);
    expect(chooseNode(pod(), states)).toEqual({
      kind: "none",
      message:
        "0/3 nodes are available: 1 node(s) were unschedulable, 2 Too many pods. preemption: 0/3 nodes are available: " +
        "1 Preemption is not helpful for scheduling, 2 No preemption victims found for incoming pod.",
    });
    expect(chooseNode(pod(), [])).toEqual({ kind: "none", message: "no nodes available to schedule pods" });
  });
});
