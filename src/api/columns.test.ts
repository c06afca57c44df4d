/** Rows of `kubectl get -o wide`, cell by cell; Pods, Services, Jobs and Events have tests of their own. */
import { expect, test } from "vitest";
import { builtinDefinitions } from "./definitions.ts";
import type { KubeObject } from "./meta/object.ts";

const now = Date.UTC(2026, 0, 3);
const created = { name: "x", creationTimestamp: "2026-01-01T00:00:00Z" };
const template = {
  spec: {
    containers: [
      { name: "a", image: "i:1" },
      { name: "b", image: "j" },
    ],
  },
};
const selector = {
  matchLabels: { app: "web" },
  matchExpressions: [{ key: "tier", operator: "In", values: ["b", "a"] }],
};

test.each<[string, Readonly<Record<string, unknown>>, Readonly<Record<string, unknown>>]>([
  [
    "Deployment",
    {
      spec: { replicas: 3, selector, template },
      status: { readyReplicas: 1, updatedReplicas: 2, availableReplicas: 1 },
    },
    {
      Name: "x",
      Ready: "1/3",
      "Up-to-date": 2,
      Available: 1,
      Age: "2d",
      Containers: "a,b",
      Images: "i:1,j",
      Selector: "app=web,tier in (a,b)",
    },
  ],
  [
    "ReplicaSet",
    { spec: { replicas: 3, selector, template }, status: { replicas: 2 } },
    {
      Name: "x",
      Desired: 3,
      Current: 2,
      Ready: 0,
      Age: "2d",
      Containers: "a,b",
      Images: "i:1,j",
      Selector: "app=web,tier in (a,b)",
    },
  ],
  [
    "CronJob",
    {
      spec: { schedule: "@daily", suspend: false, jobTemplate: { spec: { template } } },
      status: { active: [{}], lastScheduleTime: "2026-01-02T23:00:00Z" },
    },
    {
      Name: "x",
      Schedule: "@daily",
      Timezone: "<none>",
      Suspend: "False",
      Active: 1,
      "Last Schedule": "60m",
      Age: "2d",
      Containers: "a,b",
      Images: "i:1,j",
      Selector: "<none>",
    },
  ],
  [
    "Node",
    {
      metadata: { ...created, labels: { "node-role.kubernetes.io/control-plane": "", "kubernetes.io/role": "edge" } },
      spec: { unschedulable: true },
      status: {
        conditions: [{ type: "Ready", status: "True" }],
        addresses: [{ type: "InternalIP", address: "10.0.0.1" }],
        nodeInfo: { kubeletVersion: "v1", osImage: "Linux" },
      },
    },
    {
      Name: "x",
      Status: "Ready,SchedulingDisabled",
      Roles: "control-plane,edge",
      Age: "2d",
      Version: "v1",
      "Internal-IP": "10.0.0.1",
      "External-IP": "<none>",
      "OS-Image": "Linux",
      "Kernel-Version": "<unknown>",
      "Container-Runtime": "<unknown>",
    },
  ],
  ["Namespace", { status: { phase: "Active" } }, { Name: "x", Status: "Active", Age: "2d" }],
  ["ConfigMap", { data: { a: "" }, binaryData: { b: "" } }, { Name: "x", Data: 2, Age: "2d" }],
  ["Secret", { type: "Opaque", data: { a: "" } }, { Name: "x", Type: "Opaque", Data: 1, Age: "2d" }],
  ["ServiceAccount", {}, { Name: "x", Age: "2d" }],
  ["Lease", { spec: { holderIdentity: "me" } }, { Name: "x", Holder: "me", Age: "2d" }],
  [
    "PodDisruptionBudget",
    { spec: { minAvailable: "50%" }, status: { disruptionsAllowed: 1 } },
    { Name: "x", "Min Available": "50%", "Max Unavailable": "N/A", "Allowed Disruptions": 1, Age: "2d" },
  ],
  [
    "Endpoints",
    { subsets: [{ addresses: [1, 2, 3, 4].map((n) => ({ ip: `10.0.0.${n}` })), ports: [{ port: 80 }] }] },
    { Name: "x", Endpoints: "10.0.0.1:80,10.0.0.2:80,10.0.0.3:80 + 1 more...", Age: "2d" },
  ],
  [
    "EndpointSlice",
    {
      addressType: "IPv4",
      endpoints: [{ addresses: ["10.0.0.1"] }, { addresses: ["10.0.0.2"] }],
      ports: [{ port: 80 }, {}],
    },
    { Name: "x", AddressType: "IPv4", Ports: "80,*", Endpoints: "10.0.0.1,10.0.0.2", Age: "2d" },
  ],
  [
    "Ingress",
    {
      spec: { ingressClassName: "ebb", rules: ["a", "b", "c", "d"].map((host) => ({ host })), tls: [{}] },
      status: { loadBalancer: { ingress: [{ ip: "1.2.3.4" }] } },
    },
    { Name: "x", Class: "ebb", Hosts: "a,b,c + 1 more...", Address: "1.2.3.4", Ports: "80, 443", Age: "2d" },
  ],
  [
    "IngressClass",
    { spec: { controller: "a/b", parameters: { apiGroup: "g", kind: "K", name: "n" } } },
    { Name: "x", Controller: "a/b", Parameters: "K.g/n", Age: "2d" },
  ],
  ["NetworkPolicy", { spec: { podSelector: {} } }, { Name: "x", "Pod-Selector": "<none>", Age: "2d" }],
  ["Role", {}, { Name: "x", "Created At": "2026-01-01T00:00:00Z" }],
  [
    "RoleBinding",
    {
      roleRef: { kind: "Role", name: "r" },
      subjects: [
        { kind: "User", name: "u" },
        { kind: "ServiceAccount", name: "a", namespace: "n" },
      ],
    },
    { Name: "x", Role: "Role/r", Age: "2d", Users: "u", Groups: "", ServiceAccounts: "n/a" },
  ],
  [
    "ResourceQuota",
    { status: { hard: { pods: "10", "limits.cpu": "4" }, used: { pods: "2" } } },
    { Name: "x", Request: "pods: 2/10", Limit: "limits.cpu: 0/4", Age: "2d" },
  ],
  [
    "PriorityClass",
    { value: 7, preemptionPolicy: "Never" },
    { Name: "x", Value: 7, "Global-Default": false, Age: "2d", PreemptionPolicy: "Never" },
  ],
  [
    "HorizontalPodAutoscaler",
    {
      spec: { scaleTargetRef: { kind: "Deployment", name: "web" }, minReplicas: 1, maxReplicas: 5 },
      status: { currentReplicas: 2 },
    },
    { Name: "x", Reference: "Deployment/web", Targets: "<none>", MinPods: "1", MaxPods: 5, Replicas: 2, Age: "2d" },
  ],
  ["CustomResourceDefinition", {}, { Name: "x", "Created At": "2026-01-01T00:00:00Z" }],
])("%s", (kind, fields, expected) => {
  const definition = builtinDefinitions.find(
    (found) => found.kind.kind === kind && found.kind.group.split(".")[1] !== "internal" && !found.conversion,
  );
  const object = { metadata: created, ...fields } as KubeObject;
  expect(
    Object.fromEntries((definition?.columns ?? []).map((column) => [column.name, column.cell(object, now)])),
  ).toEqual(expected);
});
