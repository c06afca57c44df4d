#!/usr/bin/env node
/**
 * Starts the command line on a Node new enough for it: the running one, or the one the package `node` brought.
 * Plain JavaScript for any Node ≥ 20. In a clone it runs src/ as it is; in an installed package the built dist/.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const source = new URL("../src/cli/main.ts", import.meta.url);
const built = new URL("../dist/cli/main.js", import.meta.url);
const inClone = existsSync(source);

if (inClone) (await import("../scripts/setup.mjs")).setup();

if (Number(process.versions.node.split(".")[0]) >= 24) {
  await import((inClone ? source : built).href);
} else {
  const node = fileURLToPath(
    new URL("../node/bin/node", `file://${createRequire(import.meta.url).resolve("node/package.json")}`).href.replace(
      "/node/node/",
      "/node/",
    ),
  );
  const child = spawnSync(node, process.argv.slice(1), { stdio: "inherit" });
  process.exitCode = child.status ?? 1;
}
