/** Gets CloudEvents; what it returns is the reply. */
interface OrderPlaced {
  readonly id: string;
  readonly data: { readonly items: readonly { readonly price: number }[] };
}

export default async function (event: OrderPlaced) {
  const total = event.data.items.reduce((sum, item) => sum + item.price, 0);
  return { specversion: "1.0", id: `${event.id}-priced`, source: "/pricing", type: "order.priced", data: { total } };
}
