import { describe, expect, test } from "vitest";
import type { Service } from "../../api/serving/types.gen.ts";
import { differences, differenceText } from "./differences.ts";
import { portableConfig, portableService } from "./portable.ts";

const service = {
  metadata: {
    name: "shop",
    namespace: "a",
    uid: "1",
    resourceVersion: "7",
    generation: 3,
    labels: { team: "x" },
    annotations: { "serving.knative.dev/creator": "me", "example.com/kept": "yes" },
  },
  spec: {
    template: {
      metadata: { name: "shop-v3", annotations: { "autoscaling.knative.dev/min-scale": "1" } },
      spec: { imagePullSecrets: [{ name: "login" }], containers: [{ image: "old" }, { name: "side", image: "side" }] },
    },
    traffic: [{ revisionName: "shop-00002", percent: 100 }],
  },
  status: { url: "http://x" },
} as unknown as Service;

describe("the securityContext of containers", () => {
  const restricted = {
    allowPrivilegeEscalation: false,
    runAsNonRoot: true,
    capabilities: { drop: ["ALL"] },
    seccompProfile: { type: "RuntimeDefault" },
  };
  const containersFor = (securityContext: object, standalone: boolean) => {
    const template = { spec: { containers: [{ image: "old", securityContext }] } };
    const from = { metadata: { name: "shop" }, spec: { template } } as unknown as Service;
    const { manifest, left } = portableService(from, { namespace: "b", image: "new", standalone });
    const { spec } = manifest as unknown as Service;
    return { security: spec.template.spec.containers[0]?.securityContext, left };
  };

  test("stays behind where a cluster's defaults would keep a standalone ebb of root from starting anything", () => {
    const { security, left } = containersFor(restricted, true);
    expect(security).toBeUndefined();
    expect(left).toEqual([expect.stringContaining("securityContext")]);
    expect(containersFor({ ...restricted, readOnlyRootFilesystem: true }, true).security).toEqual({
      readOnlyRootFilesystem: true,
    });
  });

  test.each([
    ["to another cluster", restricted, false],
    ["where somebody chose the user", { ...restricted, runAsUser: 1000 }, true],
    ["where somebody asked for no root alone", { runAsNonRoot: true }, true],
  ])("comes along %s", (_where, security, standalone) => {
    expect(containersFor(security, standalone)).toEqual({ security, left: [] });
  });
});

describe("what goes to another home", () => {
  test("is what a person could have written, with the image as it is called there", () => {
    const { manifest, left } = portableService(service, { namespace: "b", image: "new", standalone: false });
    expect(manifest).toEqual({
      apiVersion: "serving.knative.dev/v1",
      kind: "Service",
      metadata: {
        name: "shop",
        namespace: "b",
        labels: { team: "x" },
        annotations: { "example.com/kept": "yes" },
      },
      spec: {
        template: {
          metadata: { annotations: { "autoscaling.knative.dev/min-scale": "1" } },
          spec: { containers: [{ image: "new" }, { name: "side", image: "side" }] },
        },
      },
    });
    expect(left).toEqual([
      "its traffic to shop-00002: revisions stay",
      "its imagePullSecrets: logins belong to a home",
    ]);
  });

  test("of a Secret is its type and data", () => {
    const secret = { metadata: { name: "s", uid: "1" }, type: "Opaque", data: { a: "YQ==" } };
    expect(portableConfig(secret, "Secret", "b")).toEqual({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "s", namespace: "b" },
      type: "Opaque",
      data: { a: "YQ==" },
    });
  });
});

describe("differences", () => {
  test.each([
    ["what is the same", { a: { b: 1 } }, { a: { b: 1 } }, []],
    ["what only the server says", { a: 1, status: {} }, { a: 1 }, []],
    ["a value", { a: { b: 1 } }, { a: { b: 2 } }, ["a.b: 1 -> 2"]],
    ["an element of a list", { l: [{ n: 1, d: 0 }, { n: 2 }] }, { l: [{ n: 1 }, { n: 3 }] }, ["l[1].n: 2 -> 3"]],
    ["a shorter list", { l: [1, 2] }, { l: [1] }, ["l: [1,2] -> [1]"]],
    ["something new", {}, { a: { b: 1 } }, ['a: none -> {"b":1}']],
    ["an empty object, which says nothing", {}, { a: {} }, []],
  ])("%s", (_, present, wanted, expected) => {
    expect(differences(present, wanted).map((one) => differenceText(one, false))).toEqual(expected);
  });

  test("of a Secret never show what it holds", () => {
    const found = differences({ data: { a: "x" } }, { data: { a: "y", b: "z" } });
    expect(found.map((one) => differenceText(one, true))).toEqual([
      "data.a: another value",
      "data.b: only in the source",
    ]);
  });
});
