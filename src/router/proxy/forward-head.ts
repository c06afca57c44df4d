import { type ForwardedPairs, forwardPairs, type Pair, relayedPairs } from "./forward-pairs.ts";
import { isHearsay, makeForwarded, type Peer } from "./forwarded.ts";
import type { HeadChanges } from "./head-changes.ts";
import { headerId, relayHeader } from "./header-names.ts";
import { detached } from "./latin1.ts";
import type { RequestHead } from "./request-head.ts";
import type { RequestIds } from "./request-ids.ts";

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

/**
 * Heads as an HTTP/1.1 app gets them: hop-by-hop and platform headers gone, forwarding, tracing and route headers
 * added, everything else byte for byte. Framing headers stay, so the body can follow as it comes. One per client
 * connection; what is the same from request to request is rendered once.
 */
export class UpstreamHeads {
  readonly #head: RequestHead;
  readonly #peer: Peer;
  readonly #ids: RequestIds;
  #changes: HeadChanges | undefined;
  #text = "";
  #flat = false;
  #missing = 0;
  requestId = "";

  constructor(head: RequestHead, peer: Peer, ids: RequestIds) {
    this.#head = head;
    this.#peer = peer;
    this.#ids = ids;
  }

  /** The same for an app that speaks HTTP/2. */
  renderPairs(changes: HeadChanges): ForwardedPairs {
    const { parser, dropped, host } = this.#head;
    const pairs: Pair[] = [];
    for (let i = 0; i < parser.count; i++) {
      const name = this.#head.text.slice(parser.offsets[i * 4], parser.offsets[i * 4 + 1]).toLowerCase();
      pairs.push([name, this.#head.value(i)]);
    }
    if (this.#peer.isRouter === true) return { pairs: relayedPairs(pairs), host, requestId: "" };
    const forwarded = forwardPairs({ pairs, host, dropped }, this.#peer, changes, this.#ids);
    this.requestId = forwarded.requestId;
    return forwarded;
  }

  /** The head to send; `same`: the request's head is byte for byte the one rendered last. */
  render(changes: HeadChanges, same: boolean): string {
    if (!same || changes !== this.#changes) {
      const { text, missing } =
        this.#peer.isRouter === true ? renderRelayed(this.#head, changes) : renderHead(this.#head, this.#peer, changes);
      this.#text = text;
      this.#flat = false;
      this.#missing = this.#ids.makesTraceparent ? missing : missing & ~traceparentBit;
      this.#changes = changes;
    } else if (!this.#flat) {
      // It came twice, so it may come often: one piece is joined and written faster than many.
      this.#text = detached(this.#text);
      this.#flat = true;
    }
    if (this.#missing === 0) return `${this.#text}\r\n`;
    const ids = this.#ids;
    ids.next();
    let out = this.#text;
    if ((this.#missing & requestIdBit) !== 0) {
      this.requestId = ids.traceId;
      out += `X-Request-Id: ${ids.traceId}\r\n`;
    }
    if ((this.#missing & traceparentBit) !== 0) out += `traceparent: 00-${ids.traceId}-${ids.spanId}-00\r\n`;
    return `${out}\r\n`;
  }
}

const requestIdBit = 1 << headerId.xRequestId;
const traceparentBit = 1 << headerId.traceparent;
const forwardingBits = (1 << headerId.forwarded) | (1 << headerId.xForwardedProto) | (1 << headerId.xForwardedFor);

interface RenderedHead {
  /** Without ids that have to be made for each request, and without the final empty line. */
  readonly text: string;
  /** requestIdBit, traceparentBit: what the client did not send. */
  readonly missing: number;
}

// oxlint-disable-next-line complexity -- the one pass over the header lines, read top to bottom
function renderHead(head: RequestHead, peer: Peer, changes: HeadChanges): RenderedHead {
  const { text, parser } = head;
  const { ids: kinds, offsets, count } = parser;
  const end = text.length - 2;
  const linesStart = count === 0 ? end : (offsets[0] as number);
  const ownHost = changes.host ?? (head.plainLine ? undefined : head.host);
  let out = head.plainLine ? "" : `${head.method} ${head.target} HTTP/1.1\r\n`;
  let run = head.plainLine ? parser.lineStart : linesStart;
  let chain = "";
  let seen = 0;
  const isStranger = peer.isStranger === true;
  for (let i = 0; i < count; i++) {
    const id = kinds[i] as number;
    if (!isStranger || !isHearsay(id, lowerName(head, i))) {
      seen |= 1 << id;
      const what = fate[id];
      if (what === keep && (id !== headerId.host || ownHost === undefined)) continue;
      if (what === look && !isDropped(head, i, changes)) continue;
      if (id === headerId.xForwardedFor) chain += `${head.value(i)}, `;
      else if (id === headerId.upgrade && head.upgrade !== "") continue;
    }
    out += text.slice(run, offsets[i * 4]);
    run = i + 1 < count ? (offsets[i * 4 + 4] as number) : end;
  }
  out += text.slice(run, end);
  if (ownHost !== undefined) out += `Host: ${ownHost}\r\n`;
  out +=
    (seen & forwardingBits) === 0
      ? `X-Forwarded-For: ${peer.address}\r\nX-Forwarded-Proto: ${peer.proto}\r\nForwarded: ${makeForwarded(peer.address, head.host, peer.proto)}\r\n`
      : mixedForwarding(head, `${chain}${peer.address}`, peer.proto);
  if (changes.host !== undefined && (seen & (1 << headerId.xForwardedHost)) === 0) {
    out += `X-Forwarded-Host: ${head.host}\r\n`;
  }
  if (head.trailersWanted) out += "TE: trailers\r\n";
  if (head.upgrade !== "") out += "Connection: Upgrade\r\n";
  return { text: out + changes.lines, missing: (requestIdBit | traceparentBit) & ~seen };
}

/** What another router has made ready for the app: without the mark by which it came here, with that of the next one. */
function renderRelayed({ text, parser: { offsets, count, lineStart } }: RequestHead, next: HeadChanges): RenderedHead {
  const end = text.length - 2;
  let out = "";
  let run = lineStart;
  for (let i = 0; i < count; i++) {
    if (text.slice(offsets[i * 4], offsets[i * 4 + 1]).toLowerCase() !== relayHeader) continue;
    out += text.slice(run, offsets[i * 4]);
    run = i + 1 < count ? (offsets[i * 4 + 4] as number) : end;
  }
  return { text: out + text.slice(run, end) + next.lines, missing: 0 };
}

const lowerName = ({ text, parser: { offsets } }: RequestHead, i: number): string =>
  text.slice(offsets[i * 4], offsets[i * 4 + 1]).toLowerCase();

function isDropped(head: RequestHead, i: number, changes: HeadChanges): boolean {
  const { dropped } = head;
  if (dropped === undefined && changes.names.length === 0) return false;
  const name = lowerName(head, i);
  if (changes.names.includes(name)) return true;
  return dropped !== undefined && dropped.includes(name) && !undroppable.has(name);
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
