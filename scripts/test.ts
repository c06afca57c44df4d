/**
 * `npm test`: lint, types, then every test. Arguments go to the test runner (`npm test -- src/router`), which then
 * runs alone. The last line is the sum: `N passed, N failed, N skipped`.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const wanted = process.argv.slice(2);

function run(command: string, args: readonly string[]): number {
  return (
    spawnSync(process.execPath, [join(root, "node_modules", command), ...args], { cwd: root, stdio: "inherit" })
      .status ?? 1
  );
}

if (wanted.length === 0) {
  const checks: [string, ...string[]][] = [
    ["oxlint/bin/oxlint"],
    ["oxfmt/bin/oxfmt", "--check"],
    ["../scripts/gen-api-types.ts", "--check"],
    ["../scripts/gen-cli-docs.ts", "--check"],
    ["typescript/bin/tsc", "--noEmit"],
  ];
  for (const [command, ...args] of checks) {
    console.log(`> ${command.split("/").at(-1)} ${args.join(" ")}`);
    if (run(command, args) !== 0) process.exit(1);
  }
}

const dir = mkdtempSync(join(tmpdir(), "ebb-test-"));
const report = join(dir, "report.json");
const status = run("vitest/vitest.mjs", [
  "run",
  "--reporter=default",
  "--reporter=json",
  `--outputFile.json=${report}`,
  ...wanted,
]);
const sum: { numPassedTests: number; numFailedTests: number; numPendingTests: number } = JSON.parse(
  readFileSync(report, "utf8"),
);
rmSync(dir, { recursive: true });
console.log(`${sum.numPassedTests} passed, ${sum.numFailedTests} failed, ${sum.numPendingTests} skipped`);
process.exit(status);
