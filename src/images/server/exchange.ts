import type { IncomingMessage, ServerResponse } from "node:http";
import { RegistryFailure } from "./registry-failure.ts";

/** One request to the registry and its answer. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly method: string;
  readonly query: URLSearchParams;
}

export type Headers = Readonly<Record<string, string | number>>;

/** Ends an exchange without a body, or with a short one. HEAD keeps the length and drops the body. */
export function answer(exchange: Exchange, status: number, headers: Headers, body?: Uint8Array | string): void {
  const length = body === undefined ? 0 : Buffer.byteLength(body);
  const noBody = status === 204;
  exchange.response.writeHead(status, { ...headers, ...(noBody ? {} : { "content-length": length }) });
  exchange.response.end(exchange.method === "HEAD" || noBody ? undefined : body);
}

export function answerJson(exchange: Exchange, value: unknown, headers: Headers = {}): void {
  answer(exchange, 200, { "content-type": "application/json", ...headers }, JSON.stringify(value));
}

/** A request body that has to be in memory; more than `limit` bytes are refused. */
export async function bodyOf(exchange: Exchange, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of exchange.request as AsyncIterable<Buffer>) {
    size += chunk.byteLength;
    if (size > limit) throw new RegistryFailure("SIZE_INVALID", `more than ${limit} bytes`, { status: 413 });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** `?n=` of a paged list: all when it is absent. */
export function pageSize(query: URLSearchParams): number {
  const text = query.get("n");
  if (text === null) return Number.POSITIVE_INFINITY;
  if (!/^\d+$/.test(text)) throw new RegistryFailure("UNSUPPORTED", `n=${text} is not a number`, { status: 400 });
  return Number(text);
}

/** One page of a sorted list, and the `Link` to the next (distribution spec, "Listing Tags"). */
export function page(
  items: readonly string[],
  query: URLSearchParams,
  path: string,
): { readonly items: readonly string[]; readonly headers: Headers } {
  const size = pageSize(query);
  const last = query.get("last");
  const rest = last === null ? items : items.filter((item) => item > last);
  const shown = rest.slice(0, size);
  const end = shown.at(-1);
  if (end === undefined || shown.length === rest.length) return { items: shown, headers: {} };
  const next = new URLSearchParams({ n: String(size), last: end });
  return { items: shown, headers: { link: `<${path}?${next}>; rel="next"` } };
}
