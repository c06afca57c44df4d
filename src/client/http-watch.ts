/** A watch as it comes over HTTP: one JSON event per line. */
import { ApiError } from "../api/meta/errors.ts";
import type { KubeObject } from "../api/meta/object.ts";
import type { WatchEvent } from "../api/meta/requests.ts";
import type { Status } from "../api/meta/types.gen.ts";

interface WireEvent<T> {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  readonly object: T;
}

/** Throws the Status of an ERROR event: 410 when the version asked for is no longer kept. */
export function parseWatchEvent<T extends KubeObject>(line: string): WatchEvent<T> {
  const event: WireEvent<T> = JSON.parse(line);
  if (event.type === "ERROR") throw new ApiError(event.object as unknown as Status);
  if (event.type !== "BOOKMARK") return { type: event.type, object: event.object };
  const { resourceVersion = "", annotations } = event.object.metadata;
  return { type: "BOOKMARK", resourceVersion, initialEventsEnd: annotations?.["k8s.io/initial-events-end"] === "true" };
}

/** Text lines of a byte stream, whatever the chunks; a last line without an end counts. */
export async function* lines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let parts: string[] = [];
  for await (const chunk of chunks) {
    const text = decoder.decode(chunk, { stream: true });
    let start = 0;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", start)) {
      // A big object comes in many chunks: joined once, not at every chunk.
      parts.push(text.slice(start, end));
      const line = parts.join("");
      parts = [];
      if (line !== "") yield line;
      start = end + 1;
    }
    if (start < text.length) parts.push(text.slice(start));
  }
  const rest = parts.join("").trim();
  if (rest !== "") yield rest;
}
