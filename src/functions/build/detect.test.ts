import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { detectSource, explainSource } from "./detect.ts";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "ebb-detect-"));
});
afterEach(() => rm(dir, { recursive: true }));

async function write(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await writeFile(join(dir, path), text);
  }
}

test("a declared function wins over a usual file name of another language, and says so", async () => {
  await write({ "package.json": '{"main":"run.js"}', "run.js": "", "app.py": "" });
  const { source, candidates } = await explainSource(dir);
  expect(source).toMatchObject({ language: "node", entry: "run.js" });
  expect(candidates.map((c) => [c.language, c.chosen])).toEqual([
    ["node", true],
    ["python", false],
  ]);
  expect(candidates[1]?.verdict).toBe("only conventional");
});

test("two equally likely entries are an error that names both and the remedy", async () => {
  await write({ "index.ts": "", "app.py": "" });
  const failing = expect(detectSource(dir)).rejects;
  await failing.toThrow(/index\.ts \(node: .*app\.py \(python: .*give the file itself.*func\.yaml/);
  expect((await explainSource(dir)).candidates).toHaveLength(2);
});

test("flags settle language, entry, model, target and signature", async () => {
  await write({ "index.ts": "", "app.py": "", "lib/run.mjs": "" });
  expect(await detectSource(dir, { language: "python" })).toMatchObject({ language: "python", entry: "app.py" });
  const wanted = { entry: "lib/run.mjs", model: "lambda", target: "run.main", signature: "event" } as const;
  expect(await detectSource(dir, wanted)).toMatchObject({ language: "node", dir, ...wanted });
});

test("an entry that leaves the folder or is none is refused", async () => {
  await write({ "a/index.ts": "", "b.ts": "" });
  await expect(detectSource(join(dir, "a"), { entry: "../b.ts" })).rejects.toThrow('"../b.ts" is not a file in');
});

test("func.yaml settles what the files leave open, flags win over it, and its warnings travel along", async () => {
  await write({
    "index.ts": "",
    "app.py": "",
    "func.yaml":
      "name: two-in-one\nruntime: python\ninvoke: cloudevent\ndeploy: {options: {scale: {max: 3}}}\nodd: 1\n",
  });
  expect(await detectSource(dir)).toMatchObject({
    name: "two-in-one",
    language: "python",
    signature: "cloudevent",
    settings: { maxScale: 3 },
    warnings: ["func.yaml:5: odd is not a field ebb knows: ignored"],
    reasons: expect.arrayContaining(["func.yaml says name, language, signature", "found app.py"]),
  });
  expect(await detectSource(dir, { language: "node", name: "mine" })).toMatchObject({ language: "node", name: "mine" });
});

test("a runtime without its files is said with what was looked for", async () => {
  await write({ "index.ts": "", "func.yaml": "runtime: python\n" });
  await expect(detectSource(dir)).rejects.toThrow(/no python function in .*: looked for .*app\.py/);
});
