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
});
const objects = objectsOf(bundle);
const ofKind = (kind: string): readonly KubeObject[] => objects.filter((object) => object.kind === kind);

test("names every object once", () => {
  const names = objects.map(({ kind, metadata }) => `${kind} ${metadata.namespace}/${metadata.name}`);
  expect(new Set(names).size).toBe(names.length);
});

test("grants no wildcard, no escalation and no way to read all Secrets at once", () => {
  const rules = [...ofKind("ClusterRole"), ...ofKind("Role")].flatMap(
    (role) => (role as KubeObject & { readonly rules: readonly PolicyRule[] }).rules,
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

test("says of every permission what it is for", () => {
  const page = rbacPage();
  for (const { why } of grants.flatMap(({ permissions }) => permissions)) expect(page).toContain(why);
});

test("runs pods that the restricted Pod Security Standard lets in", () => {
  const deployments = ofKind("Deployment") as readonly (KubeObject & {
    readonly spec: { readonly replicas: number; readonly template: { readonly spec: PodSpec } };
  })[];
  expect(deployments.map(({ metadata, spec }) => [metadata.name, spec.replicas])).toEqual([
    ["ebb-controller", 1],
    ["ebb-router", 3],
  ]);
  for (const { spec } of deployments) {
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
