import type { StartPosition } from "../../api/eventing/engine.ts";
import type { EventStream } from "./event-store.ts";

/** The record before the first one that is wanted. Throws when an id is not there. */
export async function startPosition(stream: EventStream, start: StartPosition | undefined): Promise<number> {
  const { first, last } = stream.bounds();
  switch (start?.from) {
    case undefined:
    case "now":
      return last;
    case "earliest":
      return first - 1;
    case "time":
      return stream.seqBefore(start.timeMs);
    case "id": {
      const seq = await stream.seqOfId(start.id);
      if (seq === undefined) throw new Error(`no event with the id "${start.id}" is kept in ${stream.name}`);
      return seq - 1;
    }
    default:
      return start satisfies never;
  }
}
