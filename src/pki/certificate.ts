/**
 * X.509 certificates on P-256 keys (RFC 5280). Written out here because making one must take a millisecond, not the
 * time a general library takes to load: `ebb up` on an empty directory is ready in half a second.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  sign,
  X509Certificate,
} from "node:crypto";
import { isIP } from "node:net";
import { bits, boolean, integer, octets, oid, sequence, set, tagged, time, utf8 } from "./der.ts";

/** A certificate and its private key, both PEM. */
export interface KeyedCertificate {
  readonly certificate: string;
  readonly key: string;
}

export interface CertificateRequest {
  readonly commonName: string;
  /** O: the groups a client certificate puts its user in. */
  readonly organizations?: readonly string[];
  /** `peer` is both ends of a mutual connection: server and client. */
  readonly use: "ca" | "server" | "client" | "peer";
  /** DNS names (a first label may be `*`) and IP addresses of a server. */
  readonly hosts?: readonly string[];
  /** URIs that say who the holder is, such as `spiffe://…`; not for host names. */
  readonly uris?: readonly string[];
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly days: number;
}

/** Milliseconds of a day. */
export const dayMs = 24 * 3600 * 1000;
const serverAuth = oid("1.3.6.1.5.5.7.3.1");
const clientAuth = oid("1.3.6.1.5.5.7.3.2");
const usages = { server: [serverAuth], client: [clientAuth], peer: [serverAuth, clientAuth] } as const;
const ecdsaWithSha256 = sequence(oid("1.2.840.10045.4.3.2"));

/** Issues a certificate for a new key, signed by `issuer` or, without one, by itself. */
export function issueCertificate(request: CertificateRequest, issuer?: KeyedCertificate): KeyedCertificate {
  const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const publicKey = pair.publicKey.export({ type: "spki", format: "der" });
  const issuerKey = issuer ? createPrivateKey(issuer.key) : pair.privateKey;
  const issuerPublic = issuer ? createPublicKey(issuer.certificate).export({ type: "spki", format: "der" }) : publicKey;
  const subject = nameOf(request);
  const toSign = sequence(
    tagged(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([0x01]), randomBytes(15)])),
    ecdsaWithSha256,
    issuer ? subjectOf(issuer.certificate) : subject,
    // Valid from the first day there is: no clock, set back or never set, makes our own certificates come too early.
    sequence(time(0), time(request.now + request.days * dayMs)),
    subject,
    publicKey,
    tagged(0xa3, sequence(...extensions(request, publicKey, issuerPublic))),
  );
  const certificate = sequence(toSign, ecdsaWithSha256, bits(sign("sha256", toSign, issuerKey)));
  return {
    certificate: pem("CERTIFICATE", certificate),
    key: pair.privateKey.export({ type: "pkcs8", format: "pem" }) as string,
  };
}

function nameOf({ organizations = [], commonName }: CertificateRequest): Buffer {
  const attribute = (type: string, value: string): Buffer => set(sequence(oid(type), utf8(value)));
  return sequence(...organizations.map((o) => attribute("2.5.4.10", o)), attribute("2.5.4.3", commonName));
}

const pem = (label: string, der: Buffer): string =>
  `-----BEGIN ${label}-----\n${(der.toString("base64").match(/.{1,64}/g) ?? []).join("\n")}\n-----END ${label}-----\n`;

/** The subject of a certificate as encoded, to stand as the issuer of another byte for byte. */
function subjectOf(certificate: string): Buffer {
  const fields = childrenOf(childrenOf(new X509Certificate(certificate).raw)[0] ?? Buffer.alloc(0));
  // version, serial, algorithm, issuer, validity, subject
  const subject = fields[5];
  if (!subject) throw new Error("the CA certificate has no subject");
  return subject;
}

function childrenOf(element: Buffer): Buffer[] {
  const { start, end } = extent(element, 0);
  const children: Buffer[] = [];
  for (let at = start; at < end;) {
    const child = extent(element, at);
    children.push(element.subarray(at, child.end));
    at = child.end;
  }
  return children;
}

function extent(buffer: Buffer, at: number): { readonly start: number; readonly end: number } {
  const first = buffer[at + 1] ?? 0;
  const extra = first & 0x80 ? first & 0x7f : 0;
  const size = extra === 0 ? first : buffer.readUIntBE(at + 2, extra);
  const start = at + 2 + extra;
  return { start, end: start + size };
}

function extensions(request: CertificateRequest, publicKey: Buffer, issuerKey: Buffer): Buffer[] {
  const extension = (id: string, critical: boolean, value: Buffer): Buffer =>
    sequence(oid(id), ...(critical ? [boolean(true)] : []), octets(value));
  const { use, hosts = [], uris = [] } = request;
  const isCa = use === "ca";
  const found = [
    extension("2.5.29.19", true, isCa ? sequence(boolean(true)) : sequence()),
    // keyCertSign and cRLSign, or digitalSignature
    extension("2.5.29.15", true, isCa ? bits(Buffer.from([0x06]), 1) : bits(Buffer.from([0x80]), 7)),
    extension("2.5.29.14", false, octets(keyId(publicKey))),
    extension("2.5.29.35", false, sequence(tagged(0x80, keyId(issuerKey)))),
  ];
  if (use !== "ca") found.push(extension("2.5.29.37", false, sequence(...usages[use])));
  const names = [...hosts.map(generalName), ...uris.map((uri) => tagged(0x86, Buffer.from(uri)))];
  if (names.length > 0) found.push(extension("2.5.29.17", false, sequence(...names)));
  return found;
}

const keyId = (publicKey: Buffer): Buffer => createHash("sha1").update(publicKey).digest();

function generalName(host: string): Buffer {
  if (!isIP(host)) return tagged(0x82, Buffer.from(host));
  return tagged(0x87, isIP(host) === 4 ? Buffer.from(host.split(".").map(Number)) : ipv6Bytes(host));
}

function ipv6Bytes(host: string): Buffer {
  const [head = "", tail] = host.split("::");
  const groups = (text: string): number[] =>
    text === "" ? [] : text.split(":").map((part) => Number.parseInt(part, 16));
  const [left, right] = [groups(head), groups(tail ?? "")];
  const all = tail === undefined ? left : [...left, ...Array<number>(8 - left.length - right.length).fill(0), ...right];
  const bytes = Buffer.alloc(16);
  all.forEach((group, i) => bytes.writeUInt16BE(group, i * 2));
  return bytes;
}
