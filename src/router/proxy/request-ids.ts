/** Ids for requests that come without any: unique in and across processes, cheap enough to make for every request. */
export interface RequestIds {
  /** 32 hexadecimal digits: a W3C trace id, also used as X-Request-Id. Changes with every {@link next}. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  /** Requests without a traceparent get one. */
  readonly makesTraceparent: boolean;
  next(): void;
}

/** Ids from `random` (0 ≤ n < 1): a random part drawn every 2²⁴ requests, then a count from a random start. */
export function createRequestIds(random: () => number, makesTraceparent: boolean): RequestIds {
  const hex3 = Array.from({ length: 4096 }, (_, i) => i.toString(16).padStart(3, "0"));
  const digits = (n: number): string => {
    let out = "";
    while (out.length < n) out += hex3[Math.floor(random() * 4096)] ?? "";
    return out.slice(0, n);
  };
  let tracePrefix = "";
  let spanPrefix = "";
  let count = 0;
  let left = 0;
  const ids = { traceId: "", spanId: "", makesTraceparent, next };
  function next(): void {
    if (left-- === 0) {
      left = 0xff_ffff;
      count = Math.floor(random() * 0x100_0000);
      // The leading 1 keeps both from being all zero, which the trace context rules out.
      tracePrefix = `1${digits(25)}`;
      spanPrefix = `1${digits(9)}`;
    }
    count = (count + 1) & 0xff_ffff;
    const tail = (hex3[count >> 12] as string) + (hex3[count & 0xfff] as string);
    ids.traceId = tracePrefix + tail;
    ids.spanId = spanPrefix + tail;
  }
  return ids;
}
