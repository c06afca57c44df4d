import { describe, expect, test } from "vitest";
import type { Node, Pod, PodAffinityTerm, PodSpec } from "../../api/core/types.gen.ts";
import { neighbourFilter } from "./neighbours.ts";
import { NodeLedger } from "./node-ledger.ts";

const node = (name: string, zone?: string): Node => ({
  metadata: { name, labels: { host: name, ...(zone ? { zone } : {}) } },
});
const pod = (name: string, app: string, spec: Partial<PodSpec> = {}, namespace = "d"): Pod => ({
  metadata: { name, namespace, labels: { app } },
  spec: { containers: [{ name: "c" }], ...spec },
});
const term = (app: string, topologyKey: string, more: Partial<PodAffinityTerm> = {}): PodAffinityTerm => ({
  labelSelector: { matchLabels: { app } },
  topologyKey,
  ...more,
});
const near = (...terms: readonly PodAffinityTerm[]): Partial<PodSpec> => ({
  affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms } },
});
const apart = (...terms: readonly PodAffinityTerm[]): Partial<PodSpec> => ({
  affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms } },
});

const nodes = [node("a1", "a"), node("a2", "a"), node("b1", "b"), node("bare")];
/** Names of the nodes that fit a pod, with others placed as `pod at node`. */
function fitting(wanting: Pod, placed: readonly (readonly [Pod, string])[]): string[] {
  const ledger = new NodeLedger();
  for (const [other, at] of placed) ledger.put(other, at);
  const states = nodes.map((given) => ledger.state(given));
  const namespaceLabels = (name: string) => ({ team: name });
  const reasons = neighbourFilter(wanting, { nodes: states, namespaceLabels });
  return states.filter((state) => reasons(state).length === 0).map((state) => state.node.metadata.name);
}

test("without rules every node fits", () => {
  expect(fitting(pod("p", "x"), [[pod("q", "y"), "a1"]])).toEqual(["a1", "a2", "b1", "bare"]);
});

describe("affinity", () => {
  test("goes to the zone of a matching pod", () => {
    expect(fitting(pod("p", "x", near(term("db", "zone"))), [[pod("q", "db"), "a2"]])).toEqual(["a1", "a2"]);
  });
  test("fits nowhere while no pod matches", () => {
    expect(fitting(pod("p", "x", near(term("db", "zone"))), [])).toEqual([]);
  });
  test("lets the first of a group go wherever the key is known", () => {
    expect(fitting(pod("p", "x", near(term("x", "zone"))), [])).toEqual(["a1", "a2", "b1"]);
  });
  test("looks in its own namespace unless told otherwise", () => {
    const other = [[pod("q", "db", {}, "other"), "b1"]] as const;
    expect(fitting(pod("p", "x", near(term("db", "zone"))), other)).toEqual([]);
    expect(fitting(pod("p", "x", near(term("db", "zone", { namespaces: ["other"] }))), other)).toEqual(["b1"]);
    const selector = { namespaceSelector: { matchLabels: { team: "other" } } };
    expect(fitting(pod("p", "x", near(term("db", "zone", selector))), other)).toEqual(["b1"]);
  });
});

describe("anti-affinity", () => {
  test("keeps away from hosts of matching pods", () => {
    expect(fitting(pod("p", "x", apart(term("x", "host"))), [[pod("q", "x"), "a1"]])).toEqual(["a2", "b1", "bare"]);
  });
  test("of a pod that is there keeps others away as well", () => {
    expect(fitting(pod("p", "x"), [[pod("q", "lonely", apart(term("x", "zone"))), "a1"]])).toEqual(["b1", "bare"]);
    expect(fitting(pod("p", "z"), [[pod("q", "lonely", apart(term("x", "zone"))), "a1"]])).toHaveLength(4);
  });
});

describe("topology spread", () => {
  const spread = (more: object = {}): Partial<PodSpec> => ({
    topologySpreadConstraints: [
      {
        maxSkew: 1,
        topologyKey: "zone",
        whenUnsatisfiable: "DoNotSchedule",
        labelSelector: { matchLabels: { app: "x" } },
        ...more,
      },
    ],
  });
  const two = [
    [pod("q1", "x"), "a1"],
    [pod("q2", "x"), "a2"],
  ] as const;
  test("fills the emptier zone first, and needs the label", () => {
    expect(fitting(pod("p", "x", spread()), [])).toEqual(["a1", "a2", "b1"]);
    expect(fitting(pod("p", "x", spread()), two.slice(0, 1))).toEqual(["b1"]);
    expect(fitting(pod("p", "x", spread({ maxSkew: 3 })), two)).toEqual(["a1", "a2", "b1"]);
  });
  test("counts only pods of its own template with matchLabelKeys", () => {
    expect(
      fitting(pod("p", "x", spread({ labelSelector: {}, matchLabelKeys: ["app"] })), [[pod("q", "y"), "a1"]]),
    ).toEqual(["a1", "a2", "b1"]);
  });
  test("with fewer zones than minDomains counts the emptiest as empty", () => {
    const everywhere = [...two.slice(0, 1), [pod("q3", "x"), "b1"]] as const;
    expect(fitting(pod("p", "x", spread({ minDomains: 3 })), everywhere)).toEqual([]);
    expect(fitting(pod("p", "x", spread()), everywhere)).toEqual(["a1", "a2", "b1"]);
  });
  test("that may be broken keeps nobody away", () => {
    expect(fitting(pod("p", "x", spread({ whenUnsatisfiable: "ScheduleAnyway" })), two)).toHaveLength(4);
  });
});
