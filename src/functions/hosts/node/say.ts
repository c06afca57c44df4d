import { LoadError } from "./load-error.ts";
import { describeError } from "./source-lines.ts";

/** Writes to the log why the function cannot be served. */
export function say(error: unknown): { readonly reason: LoadError["reason"]; readonly text: string } {
  const reason = error instanceof LoadError ? error.reason : "ImportFailed";
  const text = error instanceof LoadError ? error.message : describeError(error);
  process.stderr.write(`${text}\n`);
  return { reason, text };
}
