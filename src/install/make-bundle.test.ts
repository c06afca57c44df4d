import { expect, test } from "vitest";
import type { PodSpec } from "../api/core/types.gen.ts";
import type { KubeObject } from "../api/meta/object.ts";
import type { PolicyRule } from "../api/rbac/types.gen.ts";
import { makeBundle, objectsOf } from "./make-bundle.ts";
import { grants } from "./rbac/permissions.ts";
import { rbacPage } from "./render/rbac-page.ts";

const bundle = makeBundle({
  version: "1.2.3",
  image: "registry.example/ebb@sha256:1",
  replicas: { controller: 1, router: 3 },
  serviceType: "NodePort",
  events: { replicas: 2, nats: { kind: "own", image: "nats", servers: 3, storage: { size: "1Gi" } } },
});
const objects = objectsOf(bundle);
const ofKind = (kind: string): readonly KubeObject[] => objects.filter((object) => object.kind === kind);

test("names every object once", () => {
  const names = objects.map(({ kind, metadata }) => `${kind} ${metadata.namespace}/${metadata.name}`);
  expect(new Set(names).size).toBe(names.length);
});

test("grants no wildcard, no escalation and no way to read all Secrets at once", () => {
  const rules = [...ofKind("ClusterRole"), ...ofKind("Role")].flatMap(
    (role) => (role as KubeObject & { readonly rules?: readonly PolicyRule[] }).rules ?? [],
  );
  expect(rules.length).toBeGreaterThan(20);
  for (const rule of rules) {
    expect([...(rule.apiGroups ?? []), ...(rule.resources ?? []), ...rule.verbs]).not.toContain("*");
    expect(rule.verbs.filter((verb) => ["escalate", "bind", "impersonate"].includes(verb))).toEqual([]);
    const lists = rule.verbs.includes("list") || rule.verbs.includes("watch");
    if (rule.resources?.includes("secrets") && lists) expect(rule.resourceNames).not.toBe(undefined);
  }
  expect(JSON.stringify(objects)).not.toContain("cluster-admin");
});

test("gives the router no Secret by its cluster-wide role", () => {
  const router = ofKind("ClusterRole").find(({ metadata }) => metadata.name === "ebb-router");
  expect(router).toBeDefined();
  expect(JSON.stringify(router)).not.toContain("secrets");
});

test("has NATS sync before it acknowledges, and keep as many copies as there are servers", () => {
  const config = ofKind("ConfigMap").find(({ metadata }) => metadata.name === "ebb-nats");
  expect(JSON.stringify(config)).toContain("sync_interval: always");
  expect(JSON.stringify(ofKind("Deployment"))).toContain("?replicas=3&monitor=http://ebb-nats.");
  expect(JSON.stringify(ofKind("StatefulSet"))).toContain("@ebb-nats-2.ebb-nats.ebb-system.svc.cluster.local:6222");
});

test("keeps the URL of a given NATS server in a Secret, and has no server of its own then", () => {
  const url = "nats://user:secret@nats.example:4222?replicas=3";
  const given = objectsOf(
    makeBundle({
      version: "1",
      image: "ebb",
      replicas: { controller: 1, router: 1 },
      serviceType: "ClusterIP",
      events: { replicas: 1, nats: { kind: "given", url } },
    }),
  );
  expect(given.filter(({ kind }) => kind === "StatefulSet")).toEqual([]);
  expect(JSON.stringify(given)).toContain(Buffer.from(url).toString("base64"));
  expect(JSON.stringify(given)).not.toContain("user:secret");
});

test("without events there is neither ebb-events nor a server nor an account for it", () => {
  const without = objectsOf(
    makeBundle({ version: "1", image: "ebb", replicas: { controller: 1, router: 1 }, serviceType: "ClusterIP" }),
  );
  expect(
    without.filter(
      ({ kind, metadata }) => kind !== "CustomResourceDefinition" && /^ebb-(events|nats)/.test(metadata.name),
    ),
  ).toEqual([]);
});

test("says of every permission what it is for", () => {
  const page = rbacPage();
  for (const { why } of grants.flatMap(({ permissions }) => permissions)) expect(page).toContain(why);
});

test("runs pods that the restricted Pod Security Standard lets in, the new ones of a rollout spread over nodes", () => {
  const deployments = ofKind("Deployment") as readonly (KubeObject & {
    readonly spec: { readonly replicas: number; readonly template: { readonly spec: PodSpec } };
  })[];
  expect(deployments.map(({ metadata, spec }) => [metadata.name, spec.replicas])).toEqual([
    ["ebb-controller", 1],
    ["ebb-router", 3],
    ["ebb-events", 2],
  ]);
  for (const { spec } of deployments)
    expect(spec.template.spec.topologySpreadConstraints).toMatchObject([
      { topologyKey: "kubernetes.io/hostname", matchLabelKeys: ["pod-template-hash"] },
    ]);
  const sets = ofKind("StatefulSet") as typeof deployments;
  expect(sets.map(({ metadata, spec }) => [metadata.name, spec.replicas])).toEqual([["ebb-nats", 3]]);
  for (const { spec } of [...deployments, ...sets]) {
    const { securityContext, containers, hostNetwork } = spec.template.spec;
    expect(hostNetwork).toBe(undefined);
    expect(securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } });
    for (const container of containers)
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      });
  }
});
