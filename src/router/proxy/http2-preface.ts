const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

/** Whether a connection that begins with these bytes is HTTP/2 with prior knowledge (RFC 9113 §3.4). */
export function startsHttp2(bytes: Uint8Array, length: number): "yes" | "no" | "maybe" {
  const compared = Math.min(length, preface.length);
  // One byte settles it for nearly every HTTP/1 request.
  if (bytes[0] !== preface[0] || preface.compare(bytes, 0, compared, 0, compared) !== 0) return "no";
  return length < preface.length ? "maybe" : "yes";
}
