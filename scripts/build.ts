/** Writes dist/: src/ as JavaScript, file by file, for the published package (Node strips no types in node_modules). */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bundleHost, writeRehearsals } from "../src/functions/hosts/host-program.ts";

const root = join(import.meta.dirname, "..");
const dist = join(root, "dist");

rmSync(dist, { recursive: true, force: true });
const tsc = join(root, "node_modules/typescript/bin/tsc");
const built = spawnSync(process.execPath, [tsc, "-p", "tsconfig.build.json"], { cwd: root, stdio: "inherit" });
if (built.status !== 0) process.exit(1);

// What is no TypeScript (host programs in other languages) goes along as it is.
for (const file of readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" }))
  if (/\.(mjs|py|sh|json)$/.test(file)) cpSync(join(root, "src", file), join(dist, file));

// Host programs run alone in their process: one file each, found by hostProgram.
const hosts = join(dist, "functions/hosts/hosts");
mkdirSync(hosts, { recursive: true });
for (const name of ["node", "node-wait"] as const) writeFileSync(join(hosts, `${name}.cjs`), await bundleHost(name));
writeRehearsals(hosts);
