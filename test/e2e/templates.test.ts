/** Every template of `ebb new`: what it writes passes its own test, is taken for its model, deploys and answers. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { listTemplates, type Template } from "../../src/functions/new/templates.ts";
import { type CallOptions } from "./ebb-process.ts";
import { homeKind, openHome, type Home } from "./home.ts";
import { shareToolCaches } from "./tool-caches.ts";

const root = mkdtempSync(join(tmpdir(), "ebb-templates-"));
// Node's own test runner, and npm with it, must be this Node's.
const path = `${dirname(process.execPath)}${delimiter}${process.env["PATH"] ?? ""}`;
const missing = (program: string): boolean => !path.split(delimiter).some((dir) => existsSync(join(dir, program)));

/** What a language's templates need here to be deployed. */
const needs: Readonly<Record<string, readonly string[]>> = {
  python: ["python3"],
  go: ["go"],
  rust: ["cargo"],
  java: ["mvn", "javac"],
};

let ebb: Home;
beforeAll(async () => {
  ebb = await openHome({ prepare: shareToolCaches });
});
afterAll(async () => {
  await ebb.close();
  await rm(root, { recursive: true, force: true });
});

const event = {
  method: "POST",
  headers: {
    "ce-specversion": "1.0",
    "ce-id": "1",
    "ce-source": "/shop",
    "ce-type": "order.placed",
    "content-type": "application/json",
  },
  body: '{"total":42}',
};

/** A call that the template's code answers with something of the call in it. */
function callOf({ language, model }: Template): { readonly call: CallOptions; readonly answer: RegExp } {
  if (model === "cloudevents") return { call: event, answer: /42/ };
  if (model === "stdio") return { call: { method: "POST", body: "you" }, answer: /YOU/ };
  const byPath = ["go", "rust", "java"].includes(language) || (language === "python" && model === "knative");
  return { call: { path: byPath ? "/you" : "/?name=you" }, answer: /you/ };
}

describe.each(listTemplates().map((t) => [`${t.language} ${t.model}`, t] as const))("%s", (_name, template) => {
  const name = `${template.language}-${template.model}`;
  const dir = join(root, name);
  const lacking = [...(needs[template.language] ?? [])].filter(missing);

  test("passes its own test", { timeout: 120_000 }, async (context) => {
    if (lacking.length > 0) return context.skip(`not on PATH: ${lacking.join(", ")}`);
    const made = await ebb.ebb("new", dir, "-l", template.language, "-m", template.model);
    expect(made).toMatchObject({ code: 0 });
    expect(existsSync(join(dir, "README.md")) && existsSync(join(dir, ".gitignore"))).toBe(true);
    for (const file of readdirSync(dir, { recursive: true, encoding: "utf8" }))
      if (/\.(md|json|ts|js|py|yaml|toml|mod|xml)$/.test(file))
        expect(readFileSync(join(dir, file), "utf8"), file).not.toMatch(/\{\{|\}\}(?!`)\w*\}\}/);
    // ebb's own libraries stand for those of the same name, as when deployed.
    const host = resolve(import.meta.dirname, "../../src/functions/hosts/python");
    const env = { ...process.env, PATH: path, PYTHONPATH: [join(host, "shims"), host].join(delimiter) };
    const [program = "", ...args] = template.test;
    const pytest = program !== "python3" || spawnSync("python3", ["-m", "pytest", "--version"]).status === 0;
    if (!pytest) return context.skip("pytest is not installed");
    const { status, stdout, stderr } = spawnSync(program, args, { cwd: dir, env, encoding: "utf8" });
    expect(status, `${stdout}${stderr}`).toBe(0);
    expect(`${stdout}${stderr}`).toMatch(/pass|ok\b/i);
  });

  test("deploys and answers", { timeout: 180_000 }, async (context) => {
    if (homeKind === "cluster" && ["java", "shell"].includes(template.language))
      return context.skip("needs --base with its runtime");
    if (lacking.length > 0) return context.skip(`not on PATH: ${lacking.join(", ")}`);
    const { code, stderr } = await ebb.ebb("deploy", dir, "--name", name);
    expect(code, stderr).toBe(0);
    const { call, answer } = callOf(template);
    const { status, body } = await ebb.call(ebb.host(name), call);
    expect({ status, body }).toMatchObject({ status: 200, body: expect.stringMatching(answer) });
    expect((await ebb.ebb("delete", name)).code).toBe(0);
  });
});

test("nothing is overwritten, and what there is no template for is answered with what there is", async () => {
  const full = mkdtempSync(join(root, "full-"));
  writeFileSync(join(full, "mine.txt"), "mine");
  expect(await ebb.ebb("new", full)).toMatchObject({ code: 1 });
  expect(readdirSync(full)).toEqual(["mine.txt"]);
  const refused = async (...args: string[]): Promise<string> => (await ebb.ebb("new", ...args)).stderr;
  expect(await refused(join(root, "x"), "-l", "cobol")).toMatch(/no template for language "cobol".*typescript/);
  expect(await refused(join(root, "x"), "-m", "stdio")).toMatch(/no typescript template for model "stdio".*fetch/);
  expect(await refused(join(root, "Not_A_Name"))).toMatch(/as in "not-a-name"/);
  expect(existsSync(join(root, "x"))).toBe(false);
});
