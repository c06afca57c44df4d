/** Bytes from `first` to `last`, both of them included. */
export type ByteRange = { readonly first: number; readonly last: number } | "whole" | "unsatisfiable";

/** A `Range` header for a body of `size` bytes (RFC 9110 §14.2). Several ranges, or other units, mean the whole. */
export function parseRange(header: string | undefined, size: number): ByteRange {
  const [all, from = "", to = ""] = /^bytes=\s*(\d*)-(\d*)\s*$/.exec(header ?? "") ?? [];
  if (all === undefined || (from === "" && to === "")) return "whole";
  if (from === "") {
    const length = Math.min(Number(to), size);
    return length === 0 ? "unsatisfiable" : { first: size - length, last: size - 1 };
  }
  const first = Number(from);
  const last = to === "" ? size - 1 : Math.min(Number(to), size - 1);
  if (to !== "" && Number(to) < first) return "whole";
  return first >= size ? "unsatisfiable" : { first, last };
}
