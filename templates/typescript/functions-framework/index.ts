import type { IncomingMessage, ServerResponse } from "node:http";

export function hello(req: IncomingMessage, res: ServerResponse): void {
  const name = new URL(req.url ?? "/", "http://localhost").searchParams.get("name") ?? "world";
  res.setHeader("content-type", "text/plain; charset=utf-8");
  res.end(`Hello, ${name}!\n`);
}
