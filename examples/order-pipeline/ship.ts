/** order.paid in. Delivery is at least once, and events are replayed: what was shipped is not shipped again. */
const shipped = new Set<string>();

export default async function (event: { readonly data: { readonly id: string; readonly total: number } }) {
  const { id, total } = event.data;
  console.log(shipped.has(id) ? `${id} is under way already` : `shipping ${id}, paid ${total}`);
  shipped.add(id);
}
