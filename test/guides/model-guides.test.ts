/** One guide per programming model: what each prints is what a person sees who does what it says. */
import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startEbb, type EbbProcess } from "../e2e/ebb-process.ts";

const root = resolve(import.meta.dirname, "../..");
const guides = join(root, "docs/guides/models");

let ebb: EbbProcess;
let scratch: string;
beforeAll(async () => {
  ebb = await startEbb();
  scratch = await mkdtemp(join(tmpdir(), "ebb-guides-"));
  await mkdir(join(scratch, "bin"));
  const program = `#!/bin/sh\nexec "${process.execPath}" "${join(root, "bin/ebb.js")}" "$@"\n`;
  await writeFile(join(scratch, "bin/ebb"), program);
  await chmod(join(scratch, "bin/ebb"), 0o755);
});
afterAll(async () => {
  await ebb.stop();
  await rm(scratch, { recursive: true, force: true });
});

interface Step {
  readonly command: string;
  /** Lines that must come, in order; `…` stands for any number of others. */
  readonly output: readonly string[];
}

interface Guide {
  /** File name → content: fenced blocks whose language is followed by a name. */
  readonly files: ReadonlyMap<string, string>;
  readonly steps: readonly Step[];
}

function readGuide(text: string): Guide {
  const files = new Map<string, string>();
  const steps: Step[] = [];
  for (const [, language, name, body = ""] of text.matchAll(/^```(\w+)(?: (\S+))?\n([\s\S]*?)^```$/gm)) {
    if (name !== undefined) files.set(name, body);
    if (language !== "console") continue;
    for (const part of body.split(/^\$ /m).slice(1)) {
      const [command = "", ...output] = part.trimEnd().split("\n");
      steps.push({ command, output });
    }
  }
  return { files, steps };
}

function run(command: string, cwd: string): Promise<{ readonly code: number; readonly text: string }> {
  const env = { PATH: `${join(scratch, "bin")}:/usr/bin:/bin`, HOME: scratch, EBB_DATA: ebb.dir };
  return new Promise((done) => {
    execFile("/bin/sh", ["-c", command], { cwd, env, timeout: 60_000 }, (error, stdout, stderr) => {
      const code = error ? (typeof error.code === "number" ? error.code : 1) : 0;
      done({ code, text: code === 0 ? stdout : `${stdout}${stderr}` });
    });
  });
}

/** The lines as a pattern for the whole of what was printed. */
function toPattern(lines: readonly string[]): RegExp {
  const parts = lines.map((line) => (line === "…" ? "(?:.*\n)*?" : `${RegExp.escape(line)}\n`));
  return new RegExp(`^${parts.join("")}$`);
}

describe.each(await readdir(guides))("docs/guides/models/%s", (file) => {
  test("does what it says", { timeout: 120_000 }, async () => {
    const { files, steps } = readGuide(await readFile(join(guides, file), "utf8"));
    const dir = join(scratch, file);
    await mkdir(dir);
    for (const [name, text] of files) await writeFile(join(dir, name), text, { mode: 0o755 });
    expect(steps.length).toBeGreaterThan(1);
    const port = new URL(ebb.routerUrl).port;
    for (const { command, output } of steps) {
      const { code, text } = await run(command.replaceAll(":8080", `:${port}`), dir);
      expect(code, `${command}\n${text}`).toBe(0);
      const plain = `${text.replaceAll("\r", "").replace(/\n$/, "")}\n`;
      if (output.length > 0) expect(plain, command).toMatch(toPattern(output));
    }
  });
});
