import { randomUUID } from "node:crypto";

/** Gets each event; return an event to reply with it, or nothing. */
export function event({ id, type, data }) {
  console.log(`got ${type} ${id}`);
  return { specversion: "1.0", id: randomUUID(), type: "reply", source: "/{{name}}", data: { to: id, data } };
}
