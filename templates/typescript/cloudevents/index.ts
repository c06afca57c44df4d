import { randomUUID } from "node:crypto";

interface CloudEvent {
  readonly type: string;
  readonly source: string;
  readonly id: string;
  readonly data?: unknown;
}

/** Gets each event; return an event to reply with it, or nothing. */
export function event({ id, type, data }: CloudEvent) {
  console.log(`got ${type} ${id}`);
  return { specversion: "1.0", id: randomUUID(), type: "reply", source: "/{{name}}", data: { to: id, data } };
}
