import type { StartPosition } from "../../api/eventing/engine.ts";
import type { EventStream } from "./event-store.ts";

/** Nothing begins there. */
export class NoSuchPosition extends Error {
  override readonly name = "NoSuchPosition";
}

/** The record before the first one that is wanted. Throws a {@link NoSuchPosition} when an id is not there. */
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
      if (seq === undefined) throw new NoSuchPosition(`no event with the id "${start.id}" is kept`);
      return seq - 1;
    }
    default:
      return start satisfies never;
  }
}
