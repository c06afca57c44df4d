import { badRequest } from "../../api/meta/errors.ts";

/** No real object comes near; every walk over an object recurses this deep at most. */
const maxDepth = 1000;

/** Throws 400 for JSON nested so deep that walking it would overflow the stack. The text need not be valid. */
export function checkNesting(text: string): void {
  // Each level takes two characters at least.
  if (text.length < 2 * maxDepth) return;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === quote) at = endOfString(text, at);
    else if (code === openBrace || code === openBracket) {
      if (++depth > maxDepth) throw badRequest(`the body of the request is nested deeper than ${maxDepth} levels`);
    } else if (code === closeBrace || code === closeBracket) depth--;
  }
}

const quote = 0x22;
const backslash = 0x5c;
const [openBracket, closeBracket, openBrace, closeBrace] = [0x5b, 0x5d, 0x7b, 0x7d];

/** Position of the closing quote of the string that begins at `start`. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text.charCodeAt(at) !== quote) at += text.charCodeAt(at) === backslash ? 2 : 1;
  return at;
}
