/** https for Routes and DomainMappings by Certificates; the test plays whoever keeps them. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { CustomResourceDefinitionKind } from "../../src/api/apiextensions/kinds.ts";
import { ConfigMapKind, NamespaceKind, ServiceKind } from "../../src/api/core/kinds.ts";
import type { Certificate } from "../../src/api/networking-internal/types.gen.ts";
import { ClusterDomainClaimKind, KCertificateKind, KIngressKind } from "../../src/api/networking-internal/kinds.ts";
import { isFalse, isTrue, isUnknown, nextConditions, type Verdict } from "../../src/api/serving/conditions.ts";
import { DomainMappingKind, RouteKind } from "../../src/api/serving/kinds.ts";
import type { Route } from "../../src/api/serving/types.gen.ts";
import { adler32 } from "../../src/controllers/certificates/adler32.ts";
import {
  CertManagerCertificateKind,
  CertManagerChallengeKind,
  type CertManagerCertificate,
} from "../../src/controllers/certificates/cert-manager.ts";
import { certManagerController } from "../../src/controllers/certificates/cert-manager-controller.ts";
import type { Kind } from "../../src/api/meta/kind.ts";
import { condition, createServingPlane, namespace, type ServingPlane } from "./serving-plane.ts";

let plane: ServingPlane;
afterEach(async () => {
  await plane.close();
});

const host = "hello.default.example.com";

async function put(name: string, data: Readonly<Record<string, string>>): Promise<void> {
  await plane.api.create(ConfigMapKind, { metadata: { name, namespace: "knative-serving" }, data });
}

async function configure(network: Readonly<Record<string, string>>): Promise<void> {
  await plane.api.create(NamespaceKind, { metadata: { name: "knative-serving" } });
  const settings = { "config-network": network, "config-domain": { "example.com": "" } };
  for (const [name, data] of Object.entries(settings)) await put(name, data);
}

/** There is none yet in the first moment. */
const route = async (): Promise<Route> =>
  (await plane.api.list(RouteKind, { namespace })).items[0] ?? { metadata: { name: "none" }, spec: {} };
const ingress = (name = "hello") => plane.api.get(KIngressKind, { namespace, name });
const routeUntil = (verdict: string) =>
  plane.until(route, (one) => condition(one, "CertificateProvisioned") === verdict, verdict);
const certificates = async () => (await plane.api.list(KCertificateKind, { namespace })).items;
const theCertificate = async (): Promise<Certificate> => {
  const [one] = await plane.until(certificates, (all) => all.length === 1, "one Certificate");
  if (!one) throw new Error("there is no Certificate");
  return one;
};

async function say(certificate: Certificate, verdict: Verdict, more: object = {}): Promise<void> {
  const conditions = nextConditions({ dependents: [], info: [] }, undefined, { Ready: verdict }, Date.now());
  const status = { observedGeneration: certificate.metadata.generation ?? 0, conditions, ...more };
  await plane.api.update(KCertificateKind, { ...certificate, status }, { subresource: "status" });
}

describe("with external-domain-tls", () => {
  beforeEach(async () => {
    plane = await createServingPlane();
  });

  test("a Route is served by http until its Certificate is ready, then by https", async () => {
    await configure({ "external-domain-tls": "Enabled" });
    await plane.apply("hello");
    const before = await routeUntil("True HTTPDowngrade");
    expect(before.status?.url).toBe(`http://${host}:8080`);
    const certificate = await theCertificate();
    const name = `route-${before.metadata.uid}`;
    expect(certificate.metadata).toMatchObject({
      name,
      labels: { "serving.knative.dev/route": "hello", "networking.knative.dev/certificate-type": "external-domain" },
      annotations: { "networking.knative.dev/certificate.class": "cert-manager.certificate.networking.knative.dev" },
    });
    expect(certificate.spec).toEqual({ dnsNames: [host], domain: "example.com", secretName: name });
    await say(certificate, isTrue);
    expect((await routeUntil("True")).status?.url).toBe(`https://${host}`);
    const { spec } = await ingress();
    expect(spec.tls).toEqual([{ hosts: [host], secretName: name, secretNamespace: namespace }]);
    expect(spec.httpOption).toBe("Enabled");
  });

  test("http is redirected only once there is something to redirect to", async () => {
    await configure({ "external-domain-tls": "Enabled", "http-protocol": "Redirected" });
    await plane.apply("hello");
    await routeUntil("Unknown CertificateNotReady");
    expect((await ingress()).spec.httpOption).toBe("Enabled");
    await say(await theCertificate(), isFalse("Rejected", "no such domain"));
    await routeUntil("False CertificateProvisionFailed");
    await say(await theCertificate(), isTrue);
    await routeUntil("True");
    await plane.until(ingress, ({ spec }) => spec.httpOption === "Redirected", "http to be redirected");
  });

  test("a host that is served by https stays so while its certificate is made anew", async () => {
    await configure({ "external-domain-tls": "Enabled", "http-protocol": "Redirected" });
    await plane.apply("hello");
    await say(await theCertificate(), isTrue);
    await routeUntil("True");
    const before = await plane.until(ingress, ({ spec }) => spec.tls !== undefined, "its certificate");
    await say(await theCertificate(), isUnknown("DoesNotExist", "somebody deleted the Secret"));
    expect((await routeUntil("Unknown CertificateNotReady")).status?.url).toBe(`https://${host}`);
    expect((await ingress()).spec).toEqual(before.spec);
  });

  test("what an issuer asks for at the host is answered by its solver, before anything else", async () => {
    await configure({ "external-domain-tls": "Enabled" });
    await plane.apply("hello");
    const solver = { serviceName: "solver", serviceNamespace: namespace, servicePort: 8089 };
    const url = `http://${host}/.well-known/acme-challenge/token`;
    await say(await theCertificate(), isUnknown("InProgress", "asked"), { http01Challenges: [{ url, ...solver }] });
    const { spec } = await plane.until(ingress, (one) => JSON.stringify(one).includes("acme-challenge"), "a path");
    const external = spec.rules?.find(({ visibility }) => visibility === "ExternalIP");
    expect(external?.http?.paths).toHaveLength(2);
    expect(external?.http?.paths[0]).toEqual({
      path: "/.well-known/acme-challenge/token",
      rewriteHost: host,
      splits: [{ ...solver, percent: 100 }],
    });
  });

  test("a tag has a Certificate of its own, which goes with the tag", async () => {
    await configure({ "external-domain-tls": "Enabled" });
    const tagged = (tag: string | undefined) =>
      plane.apply("hello", (service) => ({
        ...service,
        spec: { ...service.spec, traffic: [{ latestRevision: true, percent: 100, ...(tag ? { tag } : {}) }] },
      }));
    await tagged("blue");
    const both = await plane.until(certificates, (all) => all.length === 2, "two Certificates");
    const names = both.map(({ metadata }) => metadata.name);
    expect(names).toContain(`route-${(await route()).metadata.uid}-${adler32("blue")}`);
    expect(both.flatMap(({ spec }) => spec.dnsNames).toSorted()).toEqual([`blue-${host}`, host]);
    await tagged(undefined);
    expect((await theCertificate()).spec.dnsNames).toEqual([host]);
  });

  test("whoever says no, or is reached from the cluster alone, gets none", async () => {
    await configure({ "external-domain-tls": "Enabled" });
    await plane.apply("hello", (service) => ({
      ...service,
      metadata: { ...service.metadata, annotations: { "networking.knative.dev/disable-external-domain-tls": "true" } },
    }));
    await routeUntil("True TLSNotEnabled");
    await plane.apply("hello", (service) => ({
      ...service,
      metadata: { ...service.metadata, labels: { "networking.knative.dev/visibility": "cluster-local" } },
    }));
    const local = (text = "") => text === "TLS is not enabled for cluster-local";
    await plane.until(
      route,
      ({ status }) =>
        status?.conditions?.some(({ type, message }) => type === "CertificateProvisioned" && local(message)) === true,
      "a Route for the cluster",
    );
    expect(await certificates()).toEqual([]);
  });

  test("a mapped domain without a Secret of its own gets one", async () => {
    await configure({ "external-domain-tls": "Enabled", "http-protocol": "Redirected" });
    await plane.apply("hello", (service) => ({
      ...service,
      metadata: { ...service.metadata, labels: { "networking.knative.dev/visibility": "cluster-local" } },
    }));
    const name = "www.example.org";
    await plane.api.create(ClusterDomainClaimKind, { metadata: { name }, spec: { namespace } });
    const ref = { apiVersion: "serving.knative.dev/v1", kind: "Service", name: "hello" };
    await plane.api.create(DomainMappingKind, { metadata: { name, namespace }, spec: { ref } });
    const certificate = await theCertificate();
    expect(certificate.spec).toEqual({ dnsNames: [name], domain: name, secretName: name });
    await say(certificate, isTrue);
    const mapping = await plane.until(
      () => plane.api.get(DomainMappingKind, { namespace, name }),
      (one) => condition(one, "Ready") === "True" && condition(one, "CertificateProvisioned") === "True",
      "a ready mapping",
    );
    expect(mapping.status?.url).toBe(`https://${name}`);
    const { spec } = await plane.until(
      () => ingress(name),
      (one) => one.spec.tls !== undefined,
      "its certificate",
    );
    expect(spec).toMatchObject({ tls: [{ hosts: [name], secretName: name }], httpOption: "Redirected" });
  });
});

const definitionOf = ({ group, version, plural, kind }: Kind) => ({
  metadata: { name: `${plural}.${group}` },
  spec: {
    group,
    scope: "Namespaced",
    names: { plural, kind, singular: kind.toLowerCase(), listKind: `${kind}List` },
    versions: [
      {
        name: version,
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
      },
    ],
  },
});

describe("Certificates of class cert-manager", () => {
  const kcertificate = () => theCertificate();
  const cmCertificate = async () => (await plane.api.list(CertManagerCertificateKind, { namespace })).items[0];
  const has = (verdict: string) => plane.until(kcertificate, (one) => condition(one, "Ready") === verdict, verdict);

  async function startWith(kinds: readonly Kind[]): Promise<void> {
    plane = await createServingPlane({
      before: async (api) => {
        for (const one of kinds) await api.create(CustomResourceDefinitionKind, definitionOf(one) as never);
      },
      more: (deps) => [certManagerController(deps)],
    });
    await configure({ "external-domain-tls": "Enabled" });
    await put("config-certmanager", { issuerRef: "kind: ClusterIssuer\nname: test-ca\n" });
    await plane.apply("hello");
  }

  test("say what is missing where there is no cert-manager, and the Route is served all the same", async () => {
    await startWith([]);
    await has("Unknown CertManagerMissing");
    await plane.ready("hello");
  });

  test("are asked of the issuer that is configured, and tell what cert-manager tells", async () => {
    await startWith([CertManagerCertificateKind]);
    const asked = await plane.until(cmCertificate, (one) => one !== undefined, "cert-manager's Certificate");
    expect(asked?.spec).toMatchObject({ commonName: host, issuerRef: { kind: "ClusterIssuer", name: "test-ca" } });
    const tell = async (status: CertManagerCertificate["status"]) => {
      const now = await cmCertificate();
      if (now)
        await plane.api.update(CertManagerCertificateKind, { ...now, status } as CertManagerCertificate, {
          subresource: "status",
        });
    };
    const notAfter = "2040-01-01T00:00:00Z";
    const ready = { type: "Ready", status: "True" };
    await tell({ conditions: [ready], notAfter, renewalTime: "2039-01-01T00:00:00Z" });
    expect((await has("True")).status).toMatchObject({ notAfter });
    await tell({ conditions: [ready], notAfter, renewalTime: "2020-01-01T00:00:00Z" });
    await plane.until(kcertificate, (one) => condition(one, "Renewing") === "True", "a renewal");
    await tell({ conditions: [{ type: "Ready", status: "False", reason: "DoesNotExist" }] });
    await has("Unknown DoesNotExist");
    await tell({ conditions: [{ type: "Ready", status: "False", reason: "Denied", message: "no" }] });
    await has("False Denied");
  });

  test("lead what an issuer asks for to the solver that cert-manager has put up", async () => {
    await startWith([CertManagerCertificateKind, CertManagerChallengeKind]);
    await plane.until(cmCertificate, (one) => one !== undefined, "cert-manager's Certificate");
    const spec = { dnsName: host, token: "abc" };
    const challenge = await plane.api.create(CertManagerChallengeKind, { metadata: { name: "c1", namespace }, spec });
    await plane.api.create(ServiceKind, {
      metadata: {
        name: "cm-acme-http-solver-x",
        namespace,
        labels: { "acme.cert-manager.io/http-domain": String(adler32(host)) },
        ownerReferences: [
          {
            apiVersion: "acme.cert-manager.io/v1",
            kind: "Challenge",
            name: "c1",
            uid: challenge.metadata.uid ?? "",
            controller: true,
          },
        ],
      },
      spec: { ports: [{ port: 8089, targetPort: 8089 }], selector: { a: "b" } },
    });
    const { status } = await plane.until(
      kcertificate,
      (one) => one.status?.http01Challenges !== undefined,
      "a challenge",
    );
    expect(status?.http01Challenges).toEqual([
      {
        url: `http://${host}/.well-known/acme-challenge/abc`,
        serviceName: "cm-acme-http-solver-x",
        serviceNamespace: namespace,
        servicePort: 8089,
      },
    ]);
  });
});
