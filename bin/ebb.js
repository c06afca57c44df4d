#!/usr/bin/env node
/**
 * Starts the command line on a Node new enough for it: the running one, or the one the package `node` brought.
 * Plain JavaScript for any Node ≥ 20. In a clone it runs src/ as it is; in an installed package the built dist/.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import module, { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const source = fileURLToPath(new URL("../src/cli/main.ts", import.meta.url));
const built = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
const inClone = existsSync(source);

if (inClone) (await import("../scripts/setup.mjs")).setup();

// Keeps compiled code between runs: from source it also keeps the stripped types.
module.enableCompileCache?.();

const entry = inClone ? source : built;
if (Number(process.versions.node.split(".")[0]) >= 24) {
  process.argv[1] = entry;
  await import(entry);
} else {
  const pinned = join(dirname(createRequire(import.meta.url).resolve("node/package.json")), "bin/node");
  const child = spawn(pinned, [entry, ...process.argv.slice(2)], { stdio: "inherit" });
  // A terminal sends Ctrl-C to both; other signals reach only this process and are passed on.
  process.on("SIGINT", () => undefined);
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  child.once("exit", (code, signal) => process.exit(code ?? (signal === "SIGINT" ? 130 : 1)));
}
