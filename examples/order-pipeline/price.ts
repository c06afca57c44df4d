/** order.placed in, order.priced out. */
interface Order {
  readonly id: string;
  readonly card: string;
  readonly items: readonly { readonly name: string; readonly price: number }[];
}

export default async function (event: { readonly data: Order }) {
  const total = event.data.items.reduce((sum, { price }) => sum + price, 0);
  return {
    specversion: "1.0",
    id: `${event.data.id}-priced`,
    source: "/price",
    type: "order.priced",
    data: { ...event.data, total },
  };
}
