/**
 * The names of a function's leading plain parameters, from its source: `(req, res) => …` gives ["req", "res"]. Stops at
 * the first that is no plain name (a pattern, a rest). Native and bound functions give none.
 */
export function parameterNames(fn: (...args: never[]) => unknown): readonly string[] {
  const text = Function.prototype.toString.call(fn).replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, "");
  const alone = /^(?:async\s+)?([\w$]+)\s*=>/.exec(text);
  if (alone?.[1] !== undefined) return [alone[1]];
  const open = text.indexOf("(");
  if (open < 0 || text.includes("[native code]")) return [];
  const names: string[] = [];
  let rest = text.slice(open + 1);
  for (;;) {
    const match = /^\s*([\w$]+)\s*(=[^,)]*)?([,)])/.exec(rest);
    if (match?.[1] === undefined) return names;
    names.push(match[1]);
    if (match[3] === ")") return names;
    rest = rest.slice(match[0].length);
  }
}
