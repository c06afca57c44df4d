/** Retention by size in JetStream. The server's own `max_bytes` is not used: it sets that much aside when a stream is made. */

export interface StreamState {
  readonly first_seq: number;
  readonly last_seq: number;
  readonly messages: number;
  readonly bytes: number;
}

/** Fewer than this go at once whatever the stream holds; else a share of it, so that a limit made smaller is met soon. */
const leastStep = 1000;
const share = 1 / 16;

/**
 * The first message to keep, where a stream has more than `maxBytes`; undefined where nothing has to go. The oldest go, as
 * many as by the mean size are too many, a piece at a time: the mean of what is left may be another. The newest stays.
 */
export function firstToKeep(state: StreamState, maxBytes: number | undefined): number | undefined {
  const { first_seq: first, last_seq: last, messages, bytes } = state;
  if (maxBytes === undefined || bytes <= maxBytes || messages < 2) return undefined;
  const tooMany = Math.ceil((bytes - maxBytes) / (bytes / messages));
  const step = Math.max(leastStep, Math.floor(messages * share));
  return Math.min(first + Math.min(tooMany, step), last);
}
