/** Adler-32 (RFC 1950 §9), by which Knative and cert-manager shorten tags and hosts in names and labels. */
export function adler32(text: string): number {
  let [low, high] = [1, 0];
  for (const byte of Buffer.from(text)) {
    low = (low + byte) % 65_521;
    high = (high + low) % 65_521;
  }
  return high * 65_536 + low;
}
