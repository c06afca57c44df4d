import { isHearsay, makeForwarded, type Peer } from "./forwarded.ts";
import type { HeadChanges } from "./head-changes.ts";
import { headerId, headerIdOfName, relayHeader } from "./header-names.ts";
import type { RequestIds } from "./request-ids.ts";

export type Pair = readonly [name: string, value: string];

/** A request head as names (lower case) and values: how HTTP/2 has it. */
export interface PairsHead {
  readonly pairs: readonly Pair[];
  readonly host: string;
  /** Names that end at this hop by the client's own Connection header. */
  readonly dropped?: readonly string[] | undefined;
}

export interface ForwardedPairs {
  readonly pairs: readonly Pair[];
  readonly host: string;
  readonly requestId: string;
}

/** Ends at this hop, or is set anew: never copied. */
const never: ReadonlySet<number> = new Set([
  headerId.host,
  headerId.connection,
  headerId.transferEncoding,
  headerId.upgrade,
  headerId.expect,
  headerId.te,
  headerId.keepAlive,
  headerId.hop,
  headerId.internal,
  headerId.networkProbe,
  headerId.servingTag,
  headerId.xForwardedFor,
]);

/** What `renderHead` does for heads of bytes, for heads of pairs: the way between HTTP/1.1 and HTTP/2, and within 2. */
export function forwardPairs(head: PairsHead, peer: Peer, changes: HeadChanges, ids: RequestIds): ForwardedPairs {
  const chain: string[] = [];
  const pairs: Pair[] = [];
  const found = new Map<number, string>();
  for (const pair of head.pairs) {
    const [name, value] = pair;
    const id = headerIdOfName(name);
    if (peer.isStranger === true && isHearsay(id, name)) continue;
    found.set(id, value);
    if (id === headerId.xForwardedFor) chain.push(value);
    else if (id === headerId.te && /(?:^|,)\s*trailers\s*(?:,|;|$)/i.test(value)) pairs.push(["te", "trailers"]);
    if (never.has(id) || changes.names.includes(name) || (head.dropped?.includes(name) ?? false)) continue;
    pairs.push(pair);
  }
  chain.push(peer.address);
  const proto = found.get(headerId.xForwardedProto) ?? peer.proto;
  pairs.push(["x-forwarded-for", chain.join(", ")]);
  if (!found.has(headerId.xForwardedProto)) pairs.push(["x-forwarded-proto", proto]);
  if (!found.has(headerId.forwarded)) pairs.push(["forwarded", makeForwarded(chain.join(", "), head.host, proto)]);
  if (changes.host !== undefined && !found.has(headerId.xForwardedHost)) pairs.push(["x-forwarded-host", head.host]);
  const requestId = addIds(pairs, found, ids);
  for (const [name, value] of changes.pairs) pairs.push([name.toLowerCase(), value]);
  return { pairs, host: changes.host ?? head.host, requestId };
}

/** What another router has made ready for the app, for one that speaks HTTP/2. */
export function relayedPairs(pairs: readonly Pair[]): readonly Pair[] {
  return pairs.flatMap(([name, value]): Pair[] => {
    const id = headerIdOfName(name);
    if (id === headerId.te) return [["te", "trailers"]];
    const ends = (never.has(id) && id !== headerId.internal && id !== headerId.xForwardedFor) || name === relayHeader;
    return ends ? [] : [[name, value]];
  });
}

function addIds(pairs: Pair[], found: ReadonlyMap<number, string>, ids: RequestIds): string {
  const known = found.get(headerId.xRequestId);
  const traced = found.has(headerId.traceparent) || !ids.makesTraceparent;
  if (known !== undefined && traced) return known;
  ids.next();
  if (known === undefined) pairs.push(["x-request-id", ids.traceId]);
  if (!traced) pairs.push(["traceparent", `00-${ids.traceId}-${ids.spanId}-00`]);
  return known ?? ids.traceId;
}

/** Pairs as the object node:http2 takes; a name that comes several times gets a list. */
export function toHeaderObject(pairs: readonly Pair[]): Record<string, string | string[]> {
  // Without a prototype: a header may be named like one of its properties.
  const headers: Record<string, string | string[]> = Object.create(null);
  for (const [name, value] of pairs) {
    const known = headers[name];
    if (known === undefined) headers[name] = value;
    else headers[name] = [...(Array.isArray(known) ? known : [known]), value];
  }
  return headers;
}

/** The inverse, without pseudo headers. */
export function toPairs(headers: Readonly<Record<string, string | readonly string[] | number | undefined>>): Pair[] {
  const pairs: Pair[] = [];
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith(":") || value === undefined) continue;
    if (typeof value === "object") for (const one of value) pairs.push([name, one]);
    else pairs.push([name, String(value)]);
  }
  return pairs;
}

/** Trailer lines (`name: value`) as pairs, names in lower case. */
export function linesToPairs(lines: readonly string[]): Pair[] {
  return lines.map((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
}

/**
 * A character that must not be written into an HTTP/1 head: controls, and everything above a byte, which writing as
 * latin1 would fold onto some other character, a line feed for one.
 */
const unsafeValue = /[^\t\x20-\x7e\x80-\xff]/;

/** Pairs as header lines, each with CRLF; undefined when one cannot be written safely. */
export function toLines(pairs: readonly Pair[]): string | undefined {
  let lines = "";
  for (const [name, value] of pairs) {
    if (unsafeValue.test(value)) return undefined;
    lines += `${name}: ${value}\r\n`;
  }
  return lines;
}
