/**
 * Makes a clone ready: installs the packages of the lock file when they are missing or older than it.
 * Plain JavaScript for any Node ≥ 20, because it runs before the pinned Node is there. Prints nothing when there is
 * nothing to do.
 */
import { spawnSync } from "node:child_process";
import { existsSync, lstatSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const stampFile = join(root, "node_modules/.ebb-installed");
const lock = readFileSync(join(root, "package-lock.json"), "utf8");

/** Installs when needed; throws an Error that says what to do when npm fails. */
export function setup() {
  const modules = join(root, "node_modules");
  if (existsSync(modules) && lstatSync(modules).isSymbolicLink()) return;
  if (existsSync(stampFile) && readFileSync(stampFile, "utf8") === lock && existsSync(pinnedNode())) return;
  console.error("ebb: installing packages (once; about half a minute)…");
  const npm = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: root,
    stdio: ["ignore", 2, 2],
  });
  if (npm.status !== 0) throw new Error(`npm ci failed with exit code ${npm.status}; see its message above`);
  if (!existsSync(pinnedNode()))
    throw new Error(`the pinned Node is missing at ${pinnedNode()}; remove node_modules and try again`);
  writeFileSync(stampFile, lock);
}

/** Path of the Node that the npm package `node` installed. */
export function pinnedNode() {
  return join(root, "node_modules/node/bin/node");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) setup();
