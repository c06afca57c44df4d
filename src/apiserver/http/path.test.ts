import { expect, test } from "vitest";
import { parseResourcePath } from "./path.ts";

const core = { group: "", version: "v1", watch: false };
const apps = { group: "apps", version: "v1", watch: false };

test.each([
  ["/api/v1/pods", { ...core, plural: "pods" }],
  ["/api/v1/namespaces", { ...core, plural: "namespaces" }],
  ["/api/v1/namespaces/a", { ...core, plural: "namespaces", namespace: "a", name: "a" }],
  ["/api/v1/namespaces/a/", { ...core, plural: "namespaces", namespace: "a", name: "a" }],
  ["/api/v1/namespaces/a/status", { ...core, plural: "namespaces", namespace: "a", name: "a", subresource: "status" }],
  [
    "/api/v1/namespaces/a/finalize",
    { ...core, plural: "namespaces", namespace: "a", name: "a", subresource: "finalize" },
  ],
  ["/api/v1/namespaces/a/pods", { ...core, plural: "pods", namespace: "a" }],
  ["/api/v1/namespaces/a/status/b", { ...core, plural: "status", namespace: "a", name: "b" }],
  [
    "/apis/apps/v1/namespaces/a/deployments/b/scale",
    { ...apps, plural: "deployments", namespace: "a", name: "b", subresource: "scale" },
  ],
  [
    "/api/v1/namespaces/a/services/b/proxy/c/d",
    { ...core, plural: "services", namespace: "a", name: "b", subresource: "proxy", rest: "c/d" },
  ],
  ["/api/v1/watch/namespaces/a/pods/b", { ...core, plural: "pods", namespace: "a", name: "b", watch: true }],
  [
    "/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode",
    { group: "rbac.authorization.k8s.io", version: "v1", watch: false, plural: "clusterroles", name: "system:node" },
  ],
  ["/api", undefined],
  ["/api/v1", undefined],
  ["/apis/apps", undefined],
  ["/apis/apps/v1", undefined],
  ["/apis/apps/v1/", undefined],
  ["/openapi/v3", undefined],
  ["/", undefined],
])("%s", (path, expected) => {
  expect(parseResourcePath(path)).toEqual(expected);
});
