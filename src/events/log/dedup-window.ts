import type { StoredEvent } from "../wire/stored-event.ts";

/**
 * What makes two events one: source and id (CloudEvents 1.0.2 §3.1). The hop belongs to it, so that a function may
 * answer with the event it was given: the answer is another event on its way.
 */
export const dedupKeyOf = ({ attributes }: StoredEvent): string =>
  `${attributes["source"]}\n${attributes["id"]}\n${attributes["knativebrokerttl"] ?? ""}`;

/**
 * Remembers which keys were appended lately, in two generations so that forgetting costs nothing: a key is known for at
 * least the window, at most twice as long, unless more than `maxKeys` came meanwhile. Keys are kept as 53-bit hashes:
 * a hit is a suspicion, which the caller checks at the record it names.
 */
export class DedupWindow {
  readonly #windowMs: number;
  readonly #maxKeys: number;
  #young = new Map<number, number>();
  #old = new Map<number, number>();
  #youngSinceMs = 0;

  constructor({ windowMs, maxKeys }: { readonly windowMs: number; readonly maxKeys: number }) {
    this.#windowMs = windowMs;
    this.#maxKeys = maxKeys;
  }

  /** The record that was stored under such a key. */
  find(key: string, nowMs: number): number | undefined {
    this.#turn(nowMs);
    const hash = hashText(key);
    return this.#young.get(hash) ?? this.#old.get(hash);
  }

  add(key: string, seq: number, nowMs: number): void {
    this.#turn(nowMs);
    this.#young.set(hashText(key), seq);
  }

  /** Takes back what was not stored after all. */
  remove(key: string): void {
    this.#young.delete(hashText(key));
  }

  #turn(nowMs: number): void {
    if (nowMs - this.#youngSinceMs < this.#windowMs && this.#young.size < this.#maxKeys) return;
    // Nothing came for two windows: what is young is old enough to be forgotten too.
    this.#old = nowMs - this.#youngSinceMs < 2 * this.#windowMs ? this.#young : new Map();
    this.#young = new Map();
    this.#youngSinceMs = nowMs;
  }
}

/** 53 bits of two interleaved multiplicative hashes over UTF-16 units. */
function hashText(text: string): number {
  let low = 0xdeadbeef;
  let high = 0x41c6ce57;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    low = Math.imul(low ^ unit, 0x9e3779b1);
    high = Math.imul(high ^ unit, 0x5f356495);
  }
  low = Math.imul(low ^ (low >>> 16), 0x85ebca6b) ^ Math.imul(high ^ (high >>> 13), 0xc2b2ae35);
  high = Math.imul(high ^ (high >>> 16), 0x85ebca6b) ^ Math.imul(low ^ (low >>> 13), 0xc2b2ae35);
  return (high & 0x1fffff) * 0x1_0000_0000 + (low >>> 0);
}
