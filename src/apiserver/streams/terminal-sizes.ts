import type { TerminalSize } from "../../api/node-connection.ts";

/** Largest piece of input that is kept while it is not a whole JSON value. */
const maxPendingBytes = 64 * 1024;

/** Sizes of the client's terminal, as `{"Width":80,"Height":24}` one after the other; what is none is passed over. */
export async function* terminalSizes(input: AsyncIterable<Uint8Array>): AsyncGenerator<TerminalSize> {
  let pending = "";
  for await (const chunk of input) {
    pending += Buffer.from(chunk).toString("utf8");
    for (let end = pending.indexOf("}"); end >= 0; end = pending.indexOf("}")) {
      const size = parseSize(pending.slice(0, end + 1));
      pending = pending.slice(end + 1);
      if (size) yield size;
    }
    if (pending.length > maxPendingBytes) pending = "";
  }
}

function parseSize(text: string): TerminalSize | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { Width: width, Height: height } = value as { readonly Width?: unknown; readonly Height?: unknown };
  const isSize = (n: unknown): n is number => Number.isInteger(n) && Number(n) > 0 && Number(n) <= 0xffff;
  return isSize(width) && isSize(height) ? { width, height } : undefined;
}
