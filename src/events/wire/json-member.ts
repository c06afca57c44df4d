/**
 * The text of one member of the outermost object, as it is written: 1.0 stays 1.0, and a number too large for a double
 * keeps its digits. `text` must be a valid JSON object. Of a member written twice the last counts, as with JSON.parse.
 */
export function sliceMember(text: string, name: string): string | undefined {
  let found: string | undefined;
  let at = skipSpace(text, text.indexOf("{") + 1);
  while (at < text.length && text[at] === '"') {
    const keyEnd = skipString(text, at);
    const key = text.slice(at, keyEnd);
    const start = skipSpace(text, skipSpace(text, keyEnd) + 1);
    const end = skipValue(text, start);
    if (key === `"${name}"` || (key.includes("\\") && JSON.parse(key) === name)) found = text.slice(start, end);
    at = skipSpace(text, end);
    if (text[at] === ",") at = skipSpace(text, at + 1);
  }
  return found;
}

/** The texts of an array's elements, as they are written. `text` must be a valid JSON array. */
export function sliceElements(text: string): readonly string[] {
  const found: string[] = [];
  let at = skipSpace(text, text.indexOf("[") + 1);
  while (at < text.length && text[at] !== "]") {
    const end = skipValue(text, at);
    found.push(text.slice(at, end));
    at = skipSpace(text, end);
    if (text[at] === ",") at = skipSpace(text, at + 1);
  }
  return found;
}

function skipSpace(text: string, at: number): number {
  let next = at;
  while (next < text.length && text.charCodeAt(next) <= 32) next += 1;
  return next;
}

/** Behind the closing quote. */
function skipString(text: string, at: number): number {
  let end = text.indexOf('"', at + 1);
  while (end !== -1) {
    let slashes = 0;
    while (text[end - 1 - slashes] === "\\") slashes += 1;
    if (slashes % 2 === 0) return end + 1;
    end = text.indexOf('"', end + 1);
  }
  return text.length;
}

function skipValue(text: string, at: number): number {
  if (text[at] === '"') return skipString(text, at);
  let depth = 0;
  let next = at;
  while (next < text.length) {
    const sign = text[next];
    if (sign === '"') {
      next = skipString(text, next);
      continue;
    }
    if (sign === "{" || sign === "[") depth += 1;
    else if (sign === "}" || sign === "]") {
      if (depth === 0) return next;
      depth -= 1;
      if (depth === 0) return next + 1;
    } else if (depth === 0 && (sign === "," || text.charCodeAt(next) <= 32)) return next;
    next += 1;
  }
  return next;
}
