import { expect, test } from "vitest";
import { podAutoscalerDefinition } from "../autoscaling-internal/definition.ts";
import type { PodAutoscaler } from "../autoscaling-internal/types.gen.ts";
import type { KindDefinition, WriteContext } from "../meta/definition.ts";
import type { KubeObject, Mutable } from "../meta/object.ts";
import { denialText } from "../meta/webhook-denial.ts";
import { clusterDomainClaimDefinition, kIngressDefinition } from "../networking-internal/definitions.ts";
import type { HTTPIngressPath, Ingress } from "../networking-internal/types.gen.ts";
import { domainMappingDefinition } from "./domain-mapping-definition.ts";
import type { DomainMapping } from "./types.gen.ts";

const context: WriteContext = {
  operation: "create",
  user: { name: "ada", groups: [] },
  now: 0,
  configMap: () => ({}),
};

function create<T extends KubeObject>(
  definition: KindDefinition<T>,
  object: T,
): { readonly made: T; readonly denial: string } {
  const made = structuredClone(object) as Mutable<T>;
  definition.prepare?.(made, undefined, context);
  return { made: made as T, denial: denialText(definition.validate?.(made as T, undefined, context) ?? []) };
}

const mapping = (name: string, ref: Partial<DomainMapping["spec"]["ref"]> = {}): DomainMapping => ({
  metadata: { name, namespace: "default" },
  spec: { ref: { apiVersion: "serving.knative.dev/v1", kind: "Service", name: "hello", ...ref } },
});

test("a DomainMapping's reference is in its own namespace, and its maker is remembered", () => {
  const { made, denial } = create(domainMappingDefinition, mapping("www.example.com"));
  expect(denial).toBe("");
  expect(made.spec.ref.namespace).toBe("default");
  expect(made.metadata.annotations?.["serving.knative.dev/creator"]).toBe("ada");
});

test.each([
  [
    mapping("example"),
    'invalid name "example": name: Invalid value: "example": should be a domain with at least two segments separated by dots: metadata.name',
  ],
  [
    mapping("a.svc.cluster.local"),
    'invalid name "a.svc.cluster.local": must not be a subdomain of cluster local domain "cluster.local": metadata.name',
  ],
  [
    mapping("a.example.com", { namespace: "other" }),
    'mismatched namespaces: spec.ref.namespace\nparent namespace: "default" does not match ref: "other"',
  ],
  [mapping("a.example.com", { apiVersion: "" }), "missing field(s): spec.ref.apiVersion"],
])("a DomainMapping is denied: %#", (object, text) => {
  expect(create(domainMappingDefinition, object).denial).toBe(text);
});

test("a PodAutoscaler has its class and metric written out, and must say what it scales", () => {
  const bare: PodAutoscaler = { metadata: { name: "pa" }, spec: { scaleTargetRef: {}, protocolType: "http1" } };
  const { made, denial } = create(podAutoscalerDefinition, bare);
  expect(made.metadata.annotations).toEqual({
    "autoscaling.knative.dev/class": "kpa.autoscaling.knative.dev",
    "autoscaling.knative.dev/metric": "concurrency",
  });
  expect(denial).toBe(
    "missing field(s): spec.scaleTargetRef.apiVersion, spec.scaleTargetRef.kind, spec.scaleTargetRef.name",
  );
});

const ingress = (...paths: readonly HTTPIngressPath[]): Ingress => ({
  metadata: { name: "i" },
  spec: { rules: [{ hosts: ["a.example.com"], http: { paths } }] },
});
const split = (percent: number) => ({ serviceName: "r", serviceNamespace: "default", servicePort: 80, percent });

test("a KIngress' shares add up", () => {
  expect(create(kIngressDefinition, ingress({ splits: [split(100)] })).denial).toBe("");
  expect(create(kIngressDefinition, ingress({ splits: [split(40), split(40)] })).denial).toBe(
    "traffic split percentage must total to 100, but was 80: spec.rules[0].http.paths[0].splits",
  );
  expect(create(kIngressDefinition, { metadata: { name: "i" }, spec: {} }).denial).toBe("missing field(s): spec.rules");
});

test("a ClusterDomainClaim says whose the domain is", () => {
  const claim = { metadata: { name: "a.example.com" }, spec: { namespace: "" } };
  expect(create(clusterDomainClaimDefinition, claim).denial).toBe("missing field(s): spec.namespace");
});
