import { describe, expect, test } from "vitest";
import type { Certificate } from "../../api/networking-internal/types.gen.ts";
import { adler32 } from "./adler32.ts";
import { makeCertManagerCertificate } from "./cert-manager.ts";

test.each([
  ["", 1],
  ["Wikipedia", 0x11e60398],
  ["blue", 69140905],
])("the Adler-32 of %j is %d", (text, sum) => {
  expect(adler32(text)).toBe(sum);
});

const issuer = { kind: "ClusterIssuer", name: "test-ca" };
const label = (length: number) => "a".repeat(length);

function asked(host: string, domain?: string): Certificate {
  return {
    metadata: { name: "route-1", namespace: "shop", uid: "u1", labels: { a: "b" }, annotations: { c: "d" } },
    spec: { dnsNames: [host], ...(domain === undefined ? {} : { domain }), secretName: "route-1" },
  };
}

describe("cert-manager's Certificate", () => {
  test("is asked for with the name, Secret and hosts of Serving's, and goes with it", () => {
    const made = makeCertManagerCertificate(asked("hello.shop.example.com", "example.com"), issuer);
    expect(made).toMatchObject({
      ok: true,
      draft: {
        metadata: {
          name: "route-1",
          namespace: "shop",
          labels: { a: "b", "app.kubernetes.io/managed-by": "ebb" },
          ownerReferences: [{ kind: "Certificate", apiVersion: "networking.internal.knative.dev/v1alpha1", uid: "u1" }],
        },
        spec: {
          commonName: "hello.shop.example.com",
          dnsNames: ["hello.shop.example.com"],
          secretName: "route-1",
          issuerRef: issuer,
          secretTemplate: { labels: { "networking.internal.knative.dev/certificate-uid": "u1" } },
        },
      },
    });
  });

  test("of a host too long for a common name asks for k.DOMAIN beside it", () => {
    const host = `${label(60)}.example.com`;
    expect(makeCertManagerCertificate(asked(host, "example.com"), issuer)).toMatchObject({
      ok: true,
      draft: { spec: { commonName: "k.example.com", dnsNames: ["k.example.com", host] } },
    });
  });

  test.each([
    ["without a domain", asked(`${label(60)}.example.com`)],
    ["of a mapped domain", asked(`${label(60)}.example.com`, `${label(60)}.example.com`)],
    ["whose domain is too long itself", asked(`x.${label(58)}.com`.padStart(70, "y"), `${label(58)}.com`)],
  ])("cannot be had for a long host %s", (_which, certificate) => {
    expect(makeCertManagerCertificate(certificate, issuer)).toMatchObject({ ok: false, reason: "CommonName Too Long" });
  });
});
