import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { connect, createServer, type TLSSocket } from "node:tls";
import { expect, test } from "vitest";
import { isWithin, joinBundles, splitBundle } from "./bundle.ts";
import { dayMs, issueCertificate, type KeyedCertificate } from "./certificate.ts";
import { expiryOf, isUsable } from "./validity.ts";

const now = Date.UTC(2030, 0, 1);
const authority = (commonName = "test-ca", days = 3650): KeyedCertificate =>
  issueCertificate({ commonName, use: "ca", now, days });

test("issues server certificates for names, wildcards and addresses of both families", () => {
  const ca = authority();
  const hosts = ["ebb.ebb-system.svc", "*.example.org", "10.1.2.3", "fd00::1"];
  const pair = issueCertificate({ commonName: "ebb", use: "server", hosts, now, days: 90 }, ca);
  expect(isUsable(pair, ca, ["ebb.ebb-system.svc", "a.example.org", "10.1.2.3", "fd00::1"], now)).toBe(true);
  expect(isUsable(pair, ca, ["other"], now)).toBe(false);
  expect(isUsable(pair, authority(), [], now)).toBe(false);
  expect(isUsable(pair, ca, [], now + 91 * dayMs)).toBe(false);
});

test("says what a certificate may be used for", () => {
  const ca = authority();
  const usage = (use: "server" | "client" | "peer"): readonly string[] | undefined =>
    new X509Certificate(issueCertificate({ commonName: "x", use, now, days: 1 }, ca).certificate).keyUsage;
  expect(usage("server")).toEqual(["1.3.6.1.5.5.7.3.1"]);
  expect(usage("client")).toEqual(["1.3.6.1.5.5.7.3.2"]);
  expect(usage("peer")).toEqual(["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]);
});

test("names a holder by URI", () => {
  const uris = ["spiffe://cluster.local/ns/ebb-system/sa/ebb-router"];
  const { certificate } = issueCertificate({ commonName: "r", use: "client", uris, now, days: 1 }, authority());
  expect(new X509Certificate(certificate).subjectAltName).toBe(`URI:${uris[0]}`);
});

test("tells when a certificate ends", () => {
  expect(expiryOf(authority("ca", 10).certificate)).toBe(now + 10 * dayMs);
  expect(() => expiryOf("no certificate")).toThrow();
});

test("joins bundles without doubles, expired certificates and damaged blocks", () => {
  const [a, b, old] = [authority("a"), authority("b"), authority("old", 1)].map((pair) => pair.certificate);
  const damaged = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  const joined = joinBundles([`# ours\n${a}${old}`, `${damaged}${b}${a}`], now + 2 * dayMs);
  expect(splitBundle(joined)).toEqual([a, b]);
  expect(isWithin(b ?? "", joined)).toBe(true);
  expect(isWithin(`${a}${old}`, joined)).toBe(false);
});

test("two authorities of one name are told apart by a client that trusts both", async () => {
  const [first, second] = [authority(), authority()];
  const server = issueCertificate({ commonName: "s", use: "peer", hosts: ["localhost"], now, days: 90 }, second);
  const client = issueCertificate({ commonName: "c", use: "client", now, days: 90 }, first);
  const both = [first.certificate, second.certificate];
  const listener = createServer({
    cert: server.certificate,
    key: server.key,
    ca: both,
    requestCert: true,
    rejectUnauthorized: true,
  });
  listener.on("secureConnection", (socket: TLSSocket) => socket.end(String(socket.getPeerCertificate().subject.CN)));
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as AddressInfo;
  const socket = connect({ port, servername: "localhost", ca: both, cert: client.certificate, key: client.key });
  const [answer] = (await once(socket, "data")) as [Buffer];
  expect(String(answer)).toBe("c");
  socket.destroy();
  listener.close();
});
