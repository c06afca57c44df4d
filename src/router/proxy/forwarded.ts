/** Who the request came from: the same for all requests of a connection. */
export interface Peer {
  readonly address: string;
  readonly proto: "http" | "https";
  /** Another router, which has done with the head what is to be done. */
  readonly isRouter?: true;
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
