import { expect, test } from "vitest";
import type { Route } from "../../api/serving/types.gen.ts";
import { makeKIngress, wantedRollout, type KIngressParts } from "./make-kingress.ts";
import type { RevisionTarget, Traffic } from "./route-traffic.ts";

const route: Route = {
  metadata: {
    name: "hello",
    namespace: "default",
    uid: "u",
    labels: { team: "a" },
    annotations: {
      note: "x",
      "serving.knative.dev/rollout-duration": "10s",
      "kubectl.kubernetes.io/last-applied-configuration": "{}",
    },
  },
  spec: {},
};
const target = (tag: string, revisionName: string, percent: number): RevisionTarget => ({
  tag,
  revisionName,
  configurationName: "hello",
  latestRevision: revisionName === "r2",
  percent,
});
const traffic: Traffic = {
  targets: [],
  byTag: new Map([
    ["", [target("", "r2", 90), target("", "r1", 10), target("", "r0", 0)]],
    ["old", [target("old", "r1", 100)]],
  ]),
};
const hosts = ["", "old"].map((tag) => {
  const hostname = tag === "" ? "hello" : `${tag}-hello`;
  return {
    tag,
    hostname,
    external: `${hostname}.example.com`,
    local: [`${hostname}.default.svc.cluster.local`],
    url: "",
  };
});
const parts = (some: Partial<KIngressParts> = {}): KIngressParts => ({
  route,
  traffic,
  rollout: wantedRollout(traffic),
  hosts,
  ingressClass: "ebb",
  httpOption: "Enabled",
  tagHeaders: false,
  ...some,
});
const shape = (made: ReturnType<typeof makeKIngress>, host: string) =>
  made.spec.rules
    ?.find((rule) => rule.hosts?.includes(host))
    ?.http?.paths.map((path) => ({
      when: Object.entries(path.headers ?? {}).map(([name, { exact }]) => `${name}=${exact}`),
      adds: path.appendHeaders ?? {},
      to: path.splits.map((split) => `${split.serviceName} ${split.percent}`),
    }));

test("sends hosts where their tag leads and leaves out what gets nothing", () => {
  const made = makeKIngress(parts());
  expect(shape(made, "hello.example.com")).toEqual([{ when: [], adds: {}, to: ["r2 90", "r1 10"] }]);
  expect(shape(made, "old-hello.example.com")).toEqual([{ when: [], adds: {}, to: ["r1 100"] }]);
  expect(made.metadata.labels).toEqual({
    team: "a",
    "serving.knative.dev/route": "hello",
    "serving.knative.dev/routeNamespace": "default",
  });
  expect(Object.keys(made.metadata.annotations ?? {}).sort()).toEqual([
    "networking.internal.knative.dev/rollout",
    "networking.knative.dev/ingress-class",
    "note",
  ]);
});

test("goes by a tag's header on the main hosts where that is on", () => {
  const made = makeKIngress(parts({ tagHeaders: true }));
  expect(shape(made, "hello.example.com")).toEqual([
    { when: ["Knative-Serving-Tag=old"], adds: {}, to: ["r1 100"] },
    { when: [], adds: { "Knative-Serving-Default-Route": "true" }, to: ["r2 90", "r1 10"] },
  ]);
  expect(shape(made, "old-hello.example.com")).toEqual([
    { when: [], adds: { "Knative-Serving-Tag": "old" }, to: ["r1 100"] },
  ]);
});

test("spreads a target over its Revisions in the middle of a rollout", () => {
  const rollout = [
    {
      configurationName: "hello",
      tag: "",
      percent: 90,
      revisions: [
        { revisionName: "r1", percent: 60 },
        { revisionName: "r2", percent: 30 },
      ],
    },
  ];
  expect(shape(makeKIngress(parts({ rollout })), "hello.example.com")?.[0]?.to).toEqual(["r1 60", "r2 30", "r1 10"]);
});
