interface Latin1Source {
  latin1Slice(from: number, end: number): string;
}

/**
 * Bytes as a string of one character each: the form heads are cut and joined in. Buffer's own method behind
 * `toString("latin1")`, without that one's argument handling.
 */
export function latin1(bytes: Buffer, from: number, end: number): string {
  return (bytes as Buffer & Latin1Source).latin1Slice(from, end);
}

/** The same text in memory of its own: a slice keeps the whole string it was cut from alive. */
export function detached(text: string): string {
  return Buffer.from(text, "latin1").toString("latin1");
}
