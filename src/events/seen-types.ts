/** Notices the first event of each type that comes to a stream. */
import type { SeenType, StreamSpec } from "../api/eventing/engine.ts";
import type { EventValues } from "./wire/stored-event.ts";

export interface SeenTypes {
  /** Called for every event, so it does little: nothing at all while nobody listens. */
  note(stream: StreamSpec, attributes: EventValues): void;
  onNew(listener: (seen: SeenType) => void): () => void;
  forget(stream: StreamSpec): void;
}

/** Sources that are different in every event must fill neither the memory nor the API. */
const maxPerStream = 200;

export function createSeenTypes(): SeenTypes {
  const seen = new Map<string, Set<string>>();
  const listeners = new Set<(seen: SeenType) => void>();
  return {
    note(stream, attributes) {
      if (listeners.size === 0) return;
      const { type, source, dataschema = "" } = attributes;
      let known = seen.get(stream.uid);
      if (!known) seen.set(stream.uid, (known = new Set()));
      const key = `${type}\n${source}\n${dataschema}`;
      if (known.has(key) || known.size >= maxPerStream) return;
      known.add(key);
      const { kind, namespace, name, uid } = stream;
      const found: SeenType = {
        stream: { kind, namespace, name, uid },
        type: String(type),
        source: String(source),
        ...(dataschema === "" ? {} : { schema: String(dataschema) }),
        isLast: known.size === maxPerStream,
      };
      for (const listener of listeners) listener(found);
    },
    onNew(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    forget: ({ uid }) => void seen.delete(uid),
  };
}
