/** The guides' commands, run as printed. */
import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { readGuide, startGuideShell } from "./guide.ts";

const guides = resolve(import.meta.dirname, "../../docs/guides");

test.each(["first-function.md", "events.md"])("%s does what it says", { timeout: 90_000 }, async (name) => {
  const steps = readGuide(join(guides, name));
  expect(steps.length).toBeGreaterThan(5);
  const dir = mkdtempSync(join(tmpdir(), "ebb-guide-"));
  const shell = startGuideShell(dir);
  try {
    for (const step of steps) await shell.run(step);
  } finally {
    await shell.close();
    await rm(dir, { recursive: true, force: true });
  }
});
