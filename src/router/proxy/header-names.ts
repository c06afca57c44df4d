/** Headers the proxy acts upon, as small numbers: what the head parser stores per line instead of a string. */
export const headerId = {
  other: 0,
  host: 1,
  connection: 2,
  contentLength: 3,
  transferEncoding: 4,
  upgrade: 5,
  expect: 6,
  te: 7,
  trailer: 8,
  keepAlive: 9,
  /** Proxy-Connection, Proxy-Authenticate, Proxy-Authorization, HTTP2-Settings: end at this hop. */
  hop: 10,
  /** K-* and Knative-Serving-* as sent by a client: the platform's own words, never believed. */
  internal: 11,
  networkProbe: 12,
  userAgent: 13,
  forwarded: 14,
  xForwardedFor: 15,
  xForwardedProto: 16,
  xForwardedHost: 17,
  xRequestId: 18,
  traceparent: 19,
  servingTag: 20,
} as const;

/** Marks a request that one router sends to another. */
export const relayHeader = "ebb-relay";

const byName: Readonly<Record<string, number>> = {
  te: headerId.te,
  host: headerId.host,
  expect: headerId.expect,
  upgrade: headerId.upgrade,
  trailer: headerId.trailer,
  forwarded: headerId.forwarded,
  connection: headerId.connection,
  "keep-alive": headerId.keepAlive,
  "user-agent": headerId.userAgent,
  traceparent: headerId.traceparent,
  "x-request-id": headerId.xRequestId,
  "content-length": headerId.contentLength,
  "http2-settings": headerId.hop,
  "x-forwarded-for": headerId.xForwardedFor,
  "k-network-probe": headerId.networkProbe,
  "x-forwarded-host": headerId.xForwardedHost,
  "proxy-connection": headerId.hop,
  "transfer-encoding": headerId.transferEncoding,
  "x-forwarded-proto": headerId.xForwardedProto,
  "proxy-authenticate": headerId.hop,
  "proxy-authorization": headerId.hop,
  "knative-serving-tag": headerId.servingTag,
};

interface Known {
  readonly codes: Uint8Array;
  readonly id: number;
}

const longest = Math.max(...Object.keys(byName).map((name) => name.length));

/** Known names by length, so that most lines are told apart by one array read and one or two byte compares. */
const byLength: readonly (readonly Known[])[] = Array.from({ length: longest + 1 }, (_, length) =>
  Object.entries(byName)
    .filter(([name]) => name.length === length)
    .map(([name, id]) => ({ codes: Uint8Array.from(Buffer.from(name)), id })),
);

const lowerK = 0x6b;
const prefixes = ["k-", "knative-serving-"].map((prefix) => Uint8Array.from(Buffer.from(prefix)));

/** `bytes[at…]` spells `codes` (lower case) in any case. Only for bytes already known to be token characters. */
function spells(bytes: Uint8Array, at: number, codes: Uint8Array): boolean {
  for (let i = 0; i < codes.length; i++) if (((bytes[at + i] ?? 0) | 0x20) !== codes[i]) return false;
  return true;
}

/** The id of the header name at `bytes[at … at+length)`, a valid token. */
export function headerIdOf(bytes: Uint8Array, at: number, length: number): number {
  const known = byLength[length];
  if (known !== undefined) {
    for (let i = 0; i < known.length; i++) {
      const candidate = known[i] as Known;
      if (spells(bytes, at, candidate.codes)) return candidate.id;
    }
  }
  if (((bytes[at] ?? 0) | 0x20) !== lowerK) return headerId.other;
  for (const prefix of prefixes) if (length > prefix.length && spells(bytes, at, prefix)) return headerId.internal;
  return headerId.other;
}

/** The id of a lower-case header name, for heads that come as names and values (HTTP/2). */
export function headerIdOfName(name: string): number {
  const id = byName[name];
  if (id !== undefined) return id;
  return name.startsWith("k-") || name.startsWith("knative-serving-") ? headerId.internal : headerId.other;
}
