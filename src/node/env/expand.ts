/**
 * Kubernetes' `$(NAME)` in env values, command and args: replaced when NAME is known, left as it stands when not;
 * `$$` is a literal `$`, so `$$(NAME)` is never replaced.
 */
export function expand(text: string, lookup: (name: string) => string | undefined): string {
  if (!text.includes("$")) return text;
  let out = "";
  let at = 0;
  while (at < text.length) {
    const char = text[at] ?? "";
    if (char !== "$") {
      out += char;
      at += 1;
      continue;
    }
    const next = text[at + 1];
    if (next === "$") {
      out += "$";
      at += 2;
      continue;
    }
    const end = next === "(" ? text.indexOf(")", at + 2) : -1;
    if (end < 0) {
      out += "$";
      at += 1;
      continue;
    }
    out += lookup(text.slice(at + 2, end)) ?? text.slice(at, end + 1);
    at = end + 1;
  }
  return out;
}
