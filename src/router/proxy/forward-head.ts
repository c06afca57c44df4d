import { headerId } from "./header-names.ts";
import { detached } from "./latin1.ts";
import type { RequestHead } from "./request-head.ts";
import type { RequestIds } from "./request-ids.ts";

/** What a route changes in the requests it passes on, rendered once when the table is built. */
export interface HeadChanges {
  /** Header lines, each ending in CRLF. */
  readonly lines: string;
  /** Their names, lower case: what the client sent under them is dropped. */
  readonly names: readonly string[];
  readonly pairs: readonly (readonly [name: string, value: string])[];
  /** The Host the app sees; undefined keeps the client's. */
  readonly host: string | undefined;
}

export const noChanges: HeadChanges = Object.freeze({ lines: "", names: [], pairs: [], host: undefined });

/** Renders header changes; names are spelt as given. */
export function makeHeadChanges(headers: Readonly<Record<string, string>>, host: string | undefined): HeadChanges {
  const pairs = Object.entries(headers);
  if (pairs.length === 0 && host === undefined) return noChanges;
  return Object.freeze({
    lines: pairs.map(([name, value]) => `${name}: ${value}\r\n`).join(""),
    names: pairs.map(([name]) => name.toLowerCase()),
    pairs,
    host,
  });
}

/** Who the request came from: the same for all requests of a connection. */
export interface Peer {
  readonly address: string;
  readonly proto: "http" | "https";
}

const keep = 0;
const drop = 1;
/** Kept unless the connection's own list or the route says otherwise: needs a look at the name. */
const look = 2;

/** What becomes of a request header at this hop, by id. */
const fate: Uint8Array = (() => {
  const table = new Uint8Array(Object.keys(headerId).length + 1).fill(keep);
  table[headerId.other] = look;
  for (const id of [
    headerId.connection,
    headerId.upgrade,
    headerId.te,
    headerId.keepAlive,
    headerId.hop,
    headerId.internal,
    headerId.networkProbe,
    headerId.servingTag,
    headerId.xForwardedFor,
  ]) {
    table[id] = drop;
  }
  return table;
})();

/**
 * Headers a client may not have removed by naming them in Connection: the ones that carry identity, framing or trust
 * are safe by their own ids; these look like any other.
 */
const undroppable: ReadonlySet<string> = new Set(["authorization", "cookie", "content-type", "content-encoding"]);

/** A quoted or bare node name of a Forwarded element: IPv6 must be quoted and bracketed (RFC 7239 §6). */
function forwardedNode(address: string): string {
  return address.includes(":") && !address.startsWith('"') ? `"[${address.replace(/^\[|\]$/g, "")}]"` : address;
}

/** `for=A;host=H;proto=P, for=B`: RFC 7239 from the X-Forwarded-For list. */
export function makeForwarded(chain: string, host: string, proto: string): string {
  const [first = "", ...rest] = chain.split(",").map((item) => forwardedNode(item.trim()));
  const quoted = /[:[\]]/.test(host) ? `"${host}"` : host;
  return [`for=${first};host=${quoted};proto=${proto}`, ...rest.map((node) => `for=${node}`)].join(", ");
}

/** The forwarding lines of a plain request change only with its Host: one entry per connection is enough of a cache. */
export class ForwardingLines {
  readonly peer: Peer;
  #host = "";
  #lines = "";

  constructor(peer: Peer) {
    this.peer = peer;
  }

  /** For a request that brought no forwarding headers of its own. */
  plain(host: string): string {
    if (host !== this.#host || this.#lines === "") {
      const { address, proto } = this.peer;
      const forwarded = makeForwarded(address, host, proto);
      this.#lines = `X-Forwarded-For: ${address}\r\nX-Forwarded-Proto: ${proto}\r\nForwarded: ${forwarded}\r\n`;
      // The host is a slice of the whole head's text; a copy lets that go.
      this.#host = detached(host);
    }
    return this.#lines;
  }
}

/**
 * The head as an HTTP/1.1 app gets it: hop-by-hop and platform headers gone, forwarding, tracing and route headers
 * added, everything else byte for byte. Framing headers stay, so the body can follow as it comes.
 */
// oxlint-disable-next-line complexity -- the one pass over the header lines, read top to bottom
export function makeUpstreamHead(
  head: RequestHead,
  forwarding: ForwardingLines,
  changes: HeadChanges,
  ids: RequestIds,
): string {
  const { text, parser } = head;
  const { ids: kinds, offsets, count } = parser;
  const end = text.length - 2;
  const linesStart = count === 0 ? end : (offsets[0] as number);
  const ownHost = changes.host ?? (head.plainLine ? undefined : head.host);
  let out = head.plainLine ? "" : `${head.method} ${head.target} HTTP/1.1\r\n`;
  let run = head.plainLine ? parser.lineStart : linesStart;
  let chain = "";
  let seen = 0;
  for (let i = 0; i < count; i++) {
    const id = kinds[i] as number;
    seen |= 1 << id;
    const what = fate[id];
    if (what === keep && (id !== headerId.host || ownHost === undefined)) continue;
    if (what === look && !isDropped(head, i, changes)) continue;
    if (id === headerId.xForwardedFor) chain += `${head.value(i)}, `;
    else if (id === headerId.upgrade && head.upgrade !== "") continue;
    out += text.slice(run, offsets[i * 4]);
    run = i + 1 < count ? (offsets[i * 4 + 4] as number) : end;
  }
  out += text.slice(run, end);
  if (ownHost !== undefined) out += `Host: ${ownHost}\r\n`;
  out += extraLines({ head, forwarding, changes, ids, chain, seen });
  return `${out}\r\n`;
}

function isDropped(head: RequestHead, i: number, changes: HeadChanges): boolean {
  const { dropped } = head;
  if (dropped === undefined && changes.names.length === 0) return false;
  const { offsets } = head.parser;
  const name = head.text.slice(offsets[i * 4], offsets[i * 4 + 1]).toLowerCase();
  if (changes.names.includes(name)) return true;
  return dropped !== undefined && dropped.includes(name) && !undroppable.has(name);
}

interface Extras {
  readonly head: RequestHead;
  readonly forwarding: ForwardingLines;
  readonly changes: HeadChanges;
  readonly ids: RequestIds;
  /** X-Forwarded-For as the client sent it, each item followed by a comma. */
  readonly chain: string;
  /** Bit per header id that the client sent. */
  readonly seen: number;
}

const forwardingBits = (1 << headerId.forwarded) | (1 << headerId.xForwardedProto) | (1 << headerId.xForwardedFor);
const idBits = (1 << headerId.xRequestId) | (1 << headerId.traceparent);

function extraLines({ head, forwarding, changes, ids, chain, seen }: Extras): string {
  let out =
    (seen & forwardingBits) === 0
      ? forwarding.plain(head.host)
      : mixedForwarding(head, `${chain}${forwarding.peer.address}`, forwarding.peer.proto);
  if ((seen & idBits) !== idBits) {
    ids.next();
    if ((seen & (1 << headerId.xRequestId)) === 0) out += `X-Request-Id: ${ids.traceId}\r\n`;
    if ((seen & (1 << headerId.traceparent)) === 0) out += `traceparent: 00-${ids.traceId}-${ids.spanId}-00\r\n`;
  }
  if (changes.host !== undefined && (seen & (1 << headerId.xForwardedHost)) === 0) {
    out += `X-Forwarded-Host: ${head.host}\r\n`;
  }
  if (head.trailersWanted) out += "TE: trailers\r\n";
  if (head.upgrade !== "") out += "Connection: Upgrade\r\n";
  return out + changes.lines;
}

/** The client came through a proxy already: what it said is passed on and added to. */
function mixedForwarding(head: RequestHead, chain: string, ownProto: string): string {
  const proto = head.find(headerId.xForwardedProto);
  let out = `X-Forwarded-For: ${chain}\r\n`;
  if (proto === undefined) out += `X-Forwarded-Proto: ${ownProto}\r\n`;
  if (head.find(headerId.forwarded) === undefined) {
    out += `Forwarded: ${makeForwarded(chain, head.host, proto ?? ownProto)}\r\n`;
  }
  return out;
}
