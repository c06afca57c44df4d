/** What each kind refuses, in upstream's words; Pods, Services and Jobs have tests of their own. */
import { describe, expect, test } from "vitest";
import { builtinDefinitions } from "./definitions.ts";
import type { WriteContext } from "./meta/definition.ts";
import type { KubeObject, Mutable } from "./meta/object.ts";

const context: WriteContext = { operation: "create", user: { name: "t", groups: [] }, now: 0, configMap: () => ({}) };

type Fields = Readonly<Record<string, unknown>>;

function definitionOf(kind: string, group = ""): (typeof builtinDefinitions)[number] {
  const found = builtinDefinitions.find(
    (definition) =>
      !definition.conversion && definition.kind.kind === kind && (group === "" || definition.kind.group === group),
  );
  if (!found) throw new Error(`no definition of ${kind}`);
  return found;
}

/** The errors of a create, or of an update when `old` is given. Defaults are filled in first. */
function errorsOf(kind: string, fields: Fields, old?: Fields): string[] {
  const definition = definitionOf(kind);
  const made = [fields, old ?? {}].map((given) => {
    const object = structuredClone({ metadata: { name: "x", namespace: "default" }, ...given }) as Mutable<KubeObject>;
    definition.applyDefaults?.(object, context);
    return object as KubeObject;
  });
  const [object, before] = made;
  if (!object) throw new Error("nothing made");
  return (definition.validate?.(object, old ? before : undefined, context) ?? []).map(
    (error) => `${error.field}: ${error.message}`,
  );
}

const labels = { app: "web" };
const template = { metadata: { labels }, spec: { containers: [{ name: "c", image: "i" }] } };
const selector = { matchLabels: labels };
const hpa = { scaleTargetRef: { kind: "Deployment", name: "web" }, maxReplicas: 3 };
const external = {
  type: "External",
  external: { metric: { name: "q" }, target: { type: "AverageValue", averageValue: "5" } },
};
const backend = { service: { name: "web", port: { number: 80 } } };
const path = { path: "/", pathType: "Prefix", backend };
const ingress = (first: Fields): Fields => ({ spec: { rules: [{ http: { paths: [first] } }] } });
const roleRef = { kind: "Role", name: "r" };
describe("good objects are accepted", () => {
  test.each<[string, Fields]>([
    ["Deployment", { spec: { selector, template } }],
    ["Deployment", { spec: { selector, template, strategy: { type: "Recreate" } } }],
    ["ReplicaSet", { spec: { selector, template } }],
    ["HorizontalPodAutoscaler", { spec: hpa }],
    ["HorizontalPodAutoscaler", { spec: { ...hpa, metrics: [external], behavior: {} } }],
    ["ConfigMap", { data: { "a.b_c-d": "x" }, binaryData: { e: "AA==" } }],
    ["Secret", { stringData: { a: "b" } }],
    ["Secret", { type: "kubernetes.io/dockerconfigjson", stringData: { ".dockerconfigjson": "{}" } }],
    [
      "LimitRange",
      { spec: { limits: [{ type: "Container", max: { cpu: "2" }, min: { cpu: "1" }, default: { cpu: "1500m" } }] } },
    ],
    ["ResourceQuota", { spec: { hard: { pods: "10", "requests.cpu": "2", "count/jobs.batch": "3" } } }],
    ["Endpoints", { subsets: [{ addresses: [{ ip: "10.0.0.1" }], ports: [{ port: 80 }] }] }],
    ["EndpointSlice", { addressType: "IPv4", endpoints: [{ addresses: ["10.0.0.1"] }], ports: [{ port: 80 }] }],
    ["Ingress", ingress(path)],
    ["Ingress", { spec: { defaultBackend: backend } }],
    ["IngressClass", { spec: { controller: "ebb.dev/router" } }],
    [
      "NetworkPolicy",
      {
        spec: { podSelector: {}, ingress: [{ from: [{ ipBlock: { cidr: "10.0.0.0/8", except: ["10.1.0.0/16"] } }] }] },
      },
    ],
    [
      "NetworkPolicy",
      { spec: { egress: [{ to: [{ ipBlock: { cidr: "2001:db8::/32", except: ["2001:db8:1::/48"] } }] }] } },
    ],
    ["Lease", { spec: { holderIdentity: "a", leaseDurationSeconds: 15, renewTime: "2026-01-01T00:00:00.000000Z" } }],
    ["PodDisruptionBudget", { spec: { minAvailable: "50%", selector } }],
    ["Role", { rules: [{ verbs: ["get"], apiGroups: [""], resources: ["pods"] }] }],
    ["ClusterRole", { rules: [{ verbs: ["get"], nonResourceURLs: ["/metrics"] }] }],
    [
      "RoleBinding",
      {
        roleRef,
        subjects: [
          { kind: "User", name: "u" },
          { kind: "ServiceAccount", name: "a", namespace: "n" },
        ],
      },
    ],
    ["PriorityClass", { value: 1000 }],
    ["PriorityClass", { metadata: { name: "system-node-critical" }, value: 2_000_001_000 }],
    ["Event", { involvedObject: { kind: "Pod", namespace: "default", name: "p" } }],
    ["Event", { involvedObject: { kind: "Node", name: "n" } }],
    ["Node", { spec: { taints: [{ key: "a", effect: "NoSchedule" }] } }],
  ])("%s %j", (kind, fields) => {
    expect(errorsOf(kind, fields)).toEqual([]);
  });
});

describe("bad objects are refused", () => {
  test.each<[string, Fields, string]>([
    ["Deployment", { spec: { template } }, "spec.selector: Required value"],
    [
      "Deployment",
      { spec: { selector: {}, template } },
      "spec.selector: Invalid value: {}: empty selector is invalid for deployment",
    ],
    [
      "Deployment",
      { spec: { selector: { matchLabels: { app: "other" } }, template } },
      'spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`',
    ],
    [
      "Deployment",
      { spec: { selector, template, replicas: -1 } },
      "spec.replicas: Invalid value: -1: must be greater than or equal to 0",
    ],
    [
      "Deployment",
      { spec: { selector, template, strategy: { type: "Slow" } } },
      'spec.strategy: Unsupported value: {"type":"Slow"}: supported values: "Recreate", "RollingUpdate"',
    ],
    [
      "Deployment",
      { spec: { selector, template, strategy: { type: "Recreate", rollingUpdate: {} } } },
      "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'",
    ],
    [
      "Deployment",
      { spec: { selector, template, strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: "0%" } } } },
      'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "0%": may not be 0 when `maxSurge` is 0',
    ],
    [
      "Deployment",
      { spec: { selector, template, strategy: { rollingUpdate: { maxUnavailable: "200%" } } } },
      'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "200%": must not be greater than 100%',
    ],
    [
      "Deployment",
      { spec: { selector, template, strategy: { rollingUpdate: { maxSurge: "two" } } } },
      `spec.strategy.rollingUpdate.maxSurge: Invalid value: "two": a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')`,
    ],
    [
      "Deployment",
      { spec: { selector, template, minReadySeconds: 600 } },
      "spec.progressDeadlineSeconds: Invalid value: 600: must be greater than minReadySeconds",
    ],
    [
      "Deployment",
      { spec: { selector, template: { ...template, spec: { ...template.spec, restartPolicy: "Never" } } } },
      'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
    ],
    [
      "Deployment",
      { spec: { selector: { matchExpressions: [{ key: "app", operator: "Near" }] }, template } },
      'spec.selector.matchExpressions[0].operator: Invalid value: "Near": not a valid selector operator',
    ],
    [
      "HorizontalPodAutoscaler",
      { spec: { ...hpa, minReplicas: 0 } },
      "spec.minReplicas: Invalid value: 0: must be greater than or equal to 1",
    ],
    [
      "HorizontalPodAutoscaler",
      { spec: { ...hpa, minReplicas: 5 } },
      "spec.maxReplicas: Invalid value: 3: must be greater than or equal to `minReplicas`",
    ],
    [
      "HorizontalPodAutoscaler",
      { spec: { ...hpa, maxReplicas: 0 } },
      "spec.maxReplicas: Invalid value: 0: must be greater than 0",
    ],
    [
      "HorizontalPodAutoscaler",
      { spec: { maxReplicas: 1, scaleTargetRef: { kind: "Deployment" } } },
      "spec.scaleTargetRef.name: Required value",
    ],
    [
      "HorizontalPodAutoscaler",
      { spec: { ...hpa, metrics: [{ type: "Pods" }] } },
      "spec.metrics[0].pods: Required value: must populate information for the given metric source",
    ],
    [
      "HorizontalPodAutoscaler",
      { spec: { ...hpa, metrics: [{ ...external, type: "Pods" }] } },
      "spec.metrics[0].external: Forbidden: must populate the given metric source only",
    ],
    [
      "HorizontalPodAutoscaler",
      {
        spec: {
          ...hpa,
          metrics: [
            { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 0 } } },
          ],
        },
      },
      "spec.metrics[0].resource.target.averageUtilization: Invalid value: 0: must be greater than 0",
    ],
    [
      "HorizontalPodAutoscaler",
      { spec: { ...hpa, behavior: { scaleUp: { policies: [] } } } },
      "spec.behavior.scaleUp.policies: Required value: must specify at least one Policy",
    ],
    [
      "HorizontalPodAutoscaler",
      { spec: { ...hpa, behavior: { scaleDown: { stabilizationWindowSeconds: 4000 } } } },
      "spec.behavior.scaleDown.stabilizationWindowSeconds: Invalid value: 4000: must be less than or equal to 3600",
    ],
    [
      "HorizontalPodAutoscaler",
      { spec: { ...hpa, behavior: { scaleUp: { policies: [{ type: "Pods", value: 1, periodSeconds: 2000 }] } } } },
      "spec.behavior.scaleUp.policies[0].periodSeconds: Invalid value: 2000: must be less than or equal to 1800",
    ],
    [
      "ConfigMap",
      { data: { "a/b": "" } },
      "data[a/b]: Invalid value: \"a/b\": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
    ],
    [
      "ConfigMap",
      { data: { a: "" }, binaryData: { a: "" } },
      'data[a]: Invalid value: "a": duplicate of key present in binaryData',
    ],
    ["ConfigMap", { data: { a: "x".repeat(1024 * 1024 + 1) } }, ": Too long: may not be more than 1048576 bytes"],
    ["Secret", { type: "kubernetes.io/tls", stringData: { "tls.crt": "" } }, "data[tls.key]: Required value"],
    [
      "Secret",
      { type: "kubernetes.io/service-account-token" },
      "metadata.annotations[kubernetes.io/service-account.name]: Required value",
    ],
    [
      "LimitRange",
      { spec: { limits: [{ type: "Pod", max: { cpu: "1" }, min: { cpu: "2" } }] } },
      'spec.limits[0].min[cpu]: Invalid value: "2": min value 2 is greater than max value 1',
    ],
    [
      "ResourceQuota",
      { spec: { hard: { frogs: "1" } } },
      'spec.hard[frogs]: Invalid value: "frogs": must be a standard resource for quota',
    ],
    [
      "ResourceQuota",
      { spec: { hard: { pods: "1500m" } } },
      'spec.hard[pods]: Invalid value: "1500m": must be an integer',
    ],
    [
      "Endpoints",
      { subsets: [{ ports: [{ port: 1 }] }] },
      "subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`",
    ],
    [
      "EndpointSlice",
      { addressType: "IPv4", endpoints: [{ addresses: ["::1"] }] },
      'endpoints[0].addresses[0]: Invalid value: "::1": must be a valid IPv4 address',
    ],
    [
      "EndpointSlice",
      { addressType: "IPv4", endpoints: [{ addresses: [] }] },
      "endpoints[0].addresses: Required value: must contain at least 1 address",
    ],
    ["Ingress", { spec: {} }, "spec: Invalid value: []: either `defaultBackend` or `rules` must be specified"],
    [
      "Ingress",
      ingress({ ...path, path: "x" }),
      'spec.rules[0].http.paths[0].path: Invalid value: "x": must be an absolute path',
    ],
    [
      "Ingress",
      ingress({ path: "/", backend }),
      "spec.rules[0].http.paths[0].pathType: Required value: pathType must be specified",
    ],
    [
      "Ingress",
      ingress({ ...path, backend: { service: { name: "web" } } }),
      "spec.rules[0].http.paths[0].backend: Required value: port name or number is required",
    ],
    [
      "Ingress",
      { spec: { rules: [{ host: "10.0.0.1", http: { paths: [path] } }] } },
      'spec.rules[0].host: Invalid value: "10.0.0.1": must be a DNS name, not an IP address',
    ],
    [
      "NetworkPolicy",
      { spec: { ingress: [{ from: [{}] }] } },
      "spec.ingress[0].from[0]: Required value: must specify a peer",
    ],
    [
      "NetworkPolicy",
      { spec: { ingress: [{ from: [{ ipBlock: { cidr: "10.0.0.0/8", except: ["11.0.0.0/16"] } }] }] } },
      'spec.ingress[0].from[0].ipBlock.except[0]: Invalid value: "11.0.0.0/16": must be a strict subset of `cidr`',
    ],
    [
      "NetworkPolicy",
      { spec: { egress: [{ ports: [{ port: 80, endPort: 79 }] }] } },
      "spec.egress[0].ports[0].endPort: Invalid value: 79: must be greater than or equal to `port`",
    ],
    [
      "Lease",
      { spec: { leaseDurationSeconds: 0 } },
      "spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0",
    ],
    [
      "PodDisruptionBudget",
      { spec: { minAvailable: 1, maxUnavailable: 1 } },
      'spec: Invalid value: {"minAvailable":1,"maxUnavailable":1}: minAvailable and maxUnavailable cannot be both set',
    ],
    [
      "Role",
      { rules: [{ verbs: [], apiGroups: [""], resources: ["pods"] }] },
      "rules[0].verbs: Required value: verbs must contain at least one value",
    ],
    [
      "Role",
      { rules: [{ verbs: ["get"], nonResourceURLs: ["/x"] }] },
      'rules[0].nonResourceURLs: Invalid value: ["/x"]: namespaced rules cannot apply to non-resource URLs',
    ],
    [
      "ClusterRole",
      { rules: [{ verbs: ["get"], resources: ["pods"] }] },
      "rules[0].apiGroups: Required value: resource rules must supply at least one api group",
    ],
    [
      "RoleBinding",
      { roleRef: { kind: "Pod", name: "r" } },
      'roleRef.kind: Unsupported value: "Pod": supported values: "Role", "ClusterRole"',
    ],
    [
      "ClusterRoleBinding",
      { roleRef: { kind: "ClusterRole", name: "r" }, subjects: [{ kind: "ServiceAccount", name: "a" }] },
      "subjects[0].namespace: Required value",
    ],
    [
      "PriorityClass",
      { value: 2_000_000_000 },
      "value: Forbidden: maximum allowed value of a user defined priority is 1000000000",
    ],
    [
      "Event",
      { involvedObject: { kind: "Pod", namespace: "other", name: "p" } },
      'involvedObject.namespace: Invalid value: "other": does not match event.namespace',
    ],
    [
      "Node",
      { spec: { taints: [{ key: "a", effect: "Push" }] } },
      'spec.taints[0].effect: Unsupported value: "Push": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
    ],
  ])("%s %j", (kind, fields, expected) => {
    expect(errorsOf(kind, fields)).toContain(expected);
  });
});

describe("what cannot change", () => {
  const deployment = { spec: { selector, template } };
  const wider = { matchLabels: { app: "web", tier: "a" } };
  const frozen = { immutable: true, data: { a: "MQ==" } };
  test.each<[string, Fields, Fields, string]>([
    [
      "Deployment",
      { spec: { selector: wider, template: { ...template, metadata: { labels: wider.matchLabels } } } },
      deployment,
      'spec.selector: Invalid value: {"matchLabels":{"app":"web","tier":"a"}}: field is immutable',
    ],
    [
      "ConfigMap",
      { ...frozen, data: { a: "Mg==" } },
      frozen,
      "data: Forbidden: field is immutable when `immutable` is set",
    ],
    [
      "Secret",
      { ...frozen, immutable: false },
      frozen,
      "immutable: Forbidden: field is immutable when `immutable` is set",
    ],
    ["Secret", { type: "a/b" }, { type: "a/c" }, 'type: Invalid value: "a/b": field is immutable'],
    [
      "RoleBinding",
      { roleRef: { kind: "Role", name: "other" } },
      { roleRef },
      'roleRef: Invalid value: {"kind":"Role","name":"other","apiGroup":"rbac.authorization.k8s.io"}: cannot change roleRef',
    ],
    ["PriorityClass", { value: 2 }, { value: 1 }, "value: Forbidden: may not be changed in an update."],
    [
      "EndpointSlice",
      { addressType: "IPv6", endpoints: [] },
      { addressType: "IPv4", endpoints: [] },
      'addressType: Invalid value: "IPv6": field is immutable',
    ],
  ])("%s %j", (kind, fields, old, expected) => {
    expect(errorsOf(kind, fields, old)).toContain(expected);
  });
});
