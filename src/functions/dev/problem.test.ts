import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { problemText } from "./error-page.ts";
import { problemLine, toProblem } from "./problem.ts";

const dir = mkdtempSync(join(tmpdir(), "ebb-problem-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const lines = ["import x", "", "def f():", "    return 1 +", "", "f()"];
writeFileSync(join(dir, "app.py"), lines.join("\n"));
writeFileSync(join(dir, "index.ts"), "const a = 1;\nconst b = ;\nexport { a, b };\n");

test("a compiler's message gives file, line, column and the lines around it", () => {
  const problem = toProblem("build", 'index.ts:2:11: Unexpected ";"\n    const b = ;\n              ~', dir);
  expect(problem).toMatchObject({ summary: 'Unexpected ";"', place: { file: "index.ts", line: 2, column: 11 } });
  expect(problem.place?.excerpt).toEqual([
    "  1 | const a = 1;",
    "> 2 | const b = ;",
    "    |           ^",
    "  3 | export { a, b };",
  ]);
  expect(problemLine(problem)).toBe('index.ts:2:11: Unexpected ";"');
  expect(problemText(problem)[0]).toBe('index.ts:2:11: Unexpected ";"');
});

test("a traceback gives its last line, and its innermost place in the function's own source", () => {
  const text = `Traceback (most recent call last):
  File "/usr/lib/python3/runpy.py", line 8, in run
  File "${dir}/app.py", line 6, in <module>
    f()
  File "${dir}/app.py", line 4, in f
    return 1 +
  File "/usr/lib/python3/site-packages/x.py", line 1, in g
NameError: name 'y' is not defined`;
  const problem = toProblem("load", text, dir);
  expect(problem).toMatchObject({ summary: "NameError: name 'y' is not defined", place: { file: "app.py", line: 4 } });
});

test("a stack's frames of installed packages are not the place", () => {
  const text = `Error: no\n    at g (${dir}/node_modules/p/x.js:1:2)\n    at f (${dir}/index.ts:3:10)`;
  expect(toProblem("load", text, dir).place).toMatchObject({ file: "index.ts", line: 3, column: 10 });
});

test("a message without a place is told whole", () => {
  const problem = toProblem("exit", "it ended\nby exit code 3", dir);
  expect(problem.place).toBeUndefined();
  expect(problemText(problem)).toEqual(["it ended", "by exit code 3"]);
});
