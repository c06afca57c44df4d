import type { Reach } from "../route-table.ts";
import { headerId } from "./header-names.ts";

/** Who the request came from: the same for all requests of a connection. */
export interface Peer {
  readonly address: string;
  readonly proto: "http" | "https";
  /** Another router, which has done with the head what is to be done. */
  readonly isRouter?: true;
  /** What it says of who asked before it is not believed, and not passed on. */
  readonly isStranger?: true;
}

const hearsay: ReadonlySet<number> = new Set([
  headerId.forwarded,
  headerId.xForwardedFor,
  headerId.xForwardedProto,
  headerId.xForwardedHost,
]);

/** A header by which proxies tell of the one that asked them; `name` in lower case. */
export const isHearsay = (id: number, name: string): boolean =>
  hearsay.has(id) || (id === headerId.other && (name.startsWith("x-forwarded-") || name === "x-real-ip"));

/** Who is at the other end of a connection to a listener of this reach. */
export function peerOf(address: string, secure: boolean, reach: Reach, distrust: boolean): Peer {
  return {
    address,
    proto: secure ? "https" : "http",
    ...(reach === "peer" ? { isRouter: true } : {}),
    ...(distrust && reach === "public" ? { isStranger: true } : {}),
  };
}

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
