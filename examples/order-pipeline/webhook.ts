/** Takes orders of a shop: checks the signature over the body as it came, and hands the order to the broker. */
import { createHmac, timingSafeEqual } from "node:crypto";

interface Env {
  readonly WEBHOOK_SECRET: string;
  /** The broker, told by the SinkBinding. */
  readonly K_SINK?: string;
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    if (request.method !== "POST") return new Response("send orders with POST\n", { status: 405 });
    const body = await request.text();
    if (!isSigned(body, request.headers.get("x-signature-256") ?? "", env.WEBHOOK_SECRET))
      return new Response("the signature is not that of this body\n", { status: 401 });
    if (!env.K_SINK) return new Response("no broker yet\n", { status: 503 });
    const order = JSON.parse(body) as { readonly id: string };
    // Answered when the broker has it on disk: what the shop is told is taken is never lost.
    const taken = await fetch(env.K_SINK, {
      method: "POST",
      body,
      headers: {
        "content-type": "application/json",
        "ce-specversion": "1.0",
        "ce-id": order.id,
        "ce-source": "/shop",
        "ce-type": "order.placed",
      },
    });
    return new Response(taken.ok ? "taken\n" : `not taken: ${await taken.text()}`, { status: taken.status });
  },
};

function isSigned(body: string, signature: string, secret: string): boolean {
  const expected = Buffer.from(`sha256=${createHmac("sha256", secret).update(body).digest("hex")}`);
  const given = Buffer.from(signature);
  return given.length === expected.length && timingSafeEqual(given, expected);
}
