import type { OutgoingHttpHeaders, ServerResponse } from "node:http";

/** A plain answer of the platform's own. */
export function sendText(res: ServerResponse, status: number, text: string, headers: OutgoingHttpHeaders = {}): void {
  send(res, status, { ...headers, "content-type": "text/plain; charset=utf-8" }, text);
}

export function sendJson(res: ServerResponse, status: number, value: unknown, headers: OutgoingHttpHeaders = {}): void {
  send(res, status, { "content-type": "application/json", ...headers }, JSON.stringify(value));
}

/** One piece with its length; statuses that have no body get none. */
export function send(
  res: ServerResponse,
  status: number,
  headers: OutgoingHttpHeaders,
  body: string | Uint8Array,
): void {
  if (status === 204 || status === 304 || status < 200) {
    res.writeHead(status, headers);
    res.end();
    return;
  }
  res.writeHead(status, { ...headers, "content-length": Buffer.byteLength(body) });
  res.end(res.req.method === "HEAD" ? undefined : body);
}
