/**
 * How two routers find out that each belongs to the cluster: both know a key, neither says it.
 *
 * | | line |
 * |---|---|
 * | listener → dialer | {@link Challenge} |
 * | dialer → listener | {@link Hello}: who it is, proved by the listener's nonce |
 * | listener → dialer | {@link Welcome}: where it takes requests, proved by the dialer's nonce |
 *
 * Statements follow from the dialer alone, since each router dials the other; a listener says `bye` when it ends.
 */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";

export interface Challenge {
  readonly nonce: string;
}

export interface Hello {
  /** Of this process: another one in the same pod has another. */
  readonly id: string;
  /** As its EndpointSlice names it. */
  readonly name: string;
  /** Where it can be dialled. */
  readonly host: string;
  readonly port: number;
  readonly nonce: string;
  readonly proof: string;
}

export interface Welcome {
  readonly id: string;
  readonly relayPort: number;
  readonly proof: string;
}

export const makeNonce = (): string => randomBytes(16).toString("hex");

const mac = (key: Buffer, parts: readonly (string | number)[]): string =>
  createHmac("sha256", key).update(JSON.stringify(parts)).digest("hex");

export const proveHello = (key: Buffer, challenge: string, hello: Omit<Hello, "proof">): string =>
  mac(key, ["hello", challenge, hello.id, hello.name, hello.host, hello.port, hello.nonce]);

export const proveWelcome = (key: Buffer, nonce: string, { id, relayPort }: Omit<Welcome, "proof">): string =>
  mac(key, ["welcome", nonce, id, relayPort]);

/** The word by which the dialer's requests are known at the listener's door; it depends on both nonces. */
export const relayWord = (key: Buffer, challenge: string, nonce: string): string =>
  mac(key, ["relay", challenge, nonce]);

export function isProof(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
