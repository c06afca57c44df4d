import { afterEach, beforeEach, expect, test } from "vitest";
import { ConfigMapKind, NamespaceKind, ServiceKind } from "../../src/api/core/kinds.ts";
import { ClusterDomainClaimKind, KIngressKind } from "../../src/api/networking-internal/kinds.ts";
import { DomainMappingKind } from "../../src/api/serving/kinds.ts";
import type { DomainMapping } from "../../src/api/serving/types.gen.ts";
import { condition, createServingPlane, namespace, type ServingPlane } from "./serving-plane.ts";

const name = "www.example.com";

let plane: ServingPlane;
beforeEach(async () => {
  plane = await createServingPlane();
  await plane.apply("hello");
  await plane.ready("hello");
});
afterEach(async () => {
  await plane.close();
});

const map = (in_ = namespace, ref: Partial<DomainMapping["spec"]["ref"]> = {}) =>
  plane.api.create(DomainMappingKind, {
    metadata: { name, namespace: in_ },
    spec: { ref: { apiVersion: "serving.knative.dev/v1", kind: "Service", name: "hello", ...ref } },
  });
const claim = (for_ = namespace) =>
  plane.api.create(ClusterDomainClaimKind, { metadata: { name }, spec: { namespace: for_ } });
const allowClaims = () =>
  plane.api.create(ConfigMapKind, {
    metadata: { name: "config-network", namespace: "knative-serving" },
    data: { "autocreate-cluster-domain-claims": "true" },
  });
const told = (what: string, in_ = namespace) =>
  plane.until(
    () => plane.api.get(DomainMappingKind, { namespace: in_, name }),
    (mapping) =>
      ["Ready", "DomainClaimed", "ReferenceResolved"].some((type) => `${type} ${condition(mapping, type)}` === what),
    what,
  );

test("a claimed domain leads to the Service's local host and keeps its own in a header", async () => {
  await claim();
  await map();
  const mapping = await told("Ready True");
  expect(mapping.status).toMatchObject({ url: `http://${name}:8080`, address: { url: `http://${name}:8080` } });
  expect(mapping.spec.ref.namespace).toBe(namespace);
  const ingress = await plane.api.get(KIngressKind, { namespace, name });
  expect(ingress.spec.rules).toEqual([
    {
      hosts: [name],
      visibility: "ExternalIP",
      http: {
        paths: [
          {
            rewriteHost: "hello.default.svc.cluster.local",
            splits: [
              {
                serviceName: "hello",
                serviceNamespace: namespace,
                servicePort: 80,
                percent: 100,
                appendHeaders: { "K-Original-Host": name },
              },
            ],
          },
        ],
      },
    },
  ]);
});

test("without a claim nothing is mapped, and it is as soon as there is one", async () => {
  await map();
  const { status } = await told("DomainClaimed False DomainClaimFailed");
  expect(status?.conditions?.find(({ type }) => type === "Ready")?.message).toContain(
    `No ClusterDomainClaim gives ${name} to namespace ${namespace}`,
  );
  await expect(plane.api.get(KIngressKind, { namespace, name })).rejects.toThrow(/not found/);
  await claim();
  await told("Ready True");
});

test("a domain of another namespace is taken over once that gives it up", async () => {
  await plane.api.create(NamespaceKind, { metadata: { name: "other" } });
  await plane.api.create(ServiceKind, {
    metadata: { name: "hello", namespace: "other" },
    spec: { ports: [{ port: 80 }] },
  });
  await plane.api.create(NamespaceKind, { metadata: { name: "knative-serving" } });
  await allowClaims();
  await map("other", { apiVersion: "v1" });
  await told("Ready True", "other");
  await map();
  await told("DomainClaimed False DomainAlreadyClaimed");
  await plane.api.delete(DomainMappingKind, { namespace: "other", name });
  await told("Ready True");
  expect((await plane.api.get(ClusterDomainClaimKind, { name })).spec.namespace).toBe(namespace);
});

test("a target that cannot be mapped is told, and found when it comes", async () => {
  await claim();
  await map(namespace, { name: "later" });
  const lost = await told("ReferenceResolved False ResolveFailed");
  expect(lost.status?.conditions?.find((c) => c.type === "ReferenceResolved")?.message).toBe(
    'Service.serving.knative.dev "later" not found',
  );
  await plane.apply("later");
  await told("Ready True");
});

test("with a certificate of the user's the URL is https and the router is told the secret", async () => {
  await claim();
  await plane.api.create(DomainMappingKind, {
    metadata: { name, namespace },
    spec: {
      ref: { apiVersion: "serving.knative.dev/v1", kind: "Route", name: "hello" },
      tls: { secretName: "cert" },
    },
  });
  const mapping = await told("Ready True");
  expect(mapping.status?.url).toBe(`https://${name}`);
  expect(condition(mapping, "CertificateProvisioned")).toBe("True CertificateExternallyProvided");
  const { spec } = await plane.api.get(KIngressKind, { namespace, name });
  expect(spec.tls).toEqual([{ hosts: [name], secretName: "cert", secretNamespace: namespace }]);
});
