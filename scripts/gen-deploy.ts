/**
 * Writes deploy/ and docs/reference/rbac.md from src/install and src/api.
 * `--check` writes nothing and fails when a file on disk differs. What older ebbs would take away gets a new revision.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { digestOfBundle } from "../src/install/bundle-digest.ts";
import { bundleDigest, bundleRevision } from "../src/install/bundle-revision.ts";
import { deployFiles } from "../src/install/render/deploy-files.ts";
import { rbacPage } from "../src/install/render/rbac-page.ts";

const root = join(import.meta.dirname, "..");
const check = process.argv.includes("--check");
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { readonly version: string };

if (bundleDigest !== digestOfBundle()) {
  if (check) {
    console.error('stale: src/install/bundle-revision.ts; run "npm run gen"');
    process.exit(1);
  }
  const path = join(root, "src/install/bundle-revision.ts");
  const text = readFileSync(path, "utf8")
    .replace(/(bundleRevision = )\d+/, `$1${bundleRevision + 1}`)
    .replace(/(bundleDigest = )"[^"]*"/, `$1"${digestOfBundle()}"`);
  writeFileSync(path, text);
  // The files hold the revision, which is loaded only once.
  process.exit(spawnSync(process.execPath, [import.meta.filename], { stdio: "inherit" }).status ?? 1);
}

const wanted = new Map([["docs/reference/rbac.md", rbacPage()]]);
for (const [name, text] of deployFiles(version)) wanted.set(`deploy/${name}`, text);

const deploy = join(root, "deploy");
const there = existsSync(deploy) ? readdirSync(deploy, { recursive: true, encoding: "utf8" }) : [];
const left = there
  .map((name) => `deploy/${name}`)
  .filter((name) => !wanted.has(name) && !statSync(join(root, name)).isDirectory());
const stale = [...wanted].filter(([name, text]) => {
  const path = join(root, name);
  return !existsSync(path) || readFileSync(path, "utf8") !== text;
});

if (check) {
  for (const name of [...stale.map(([name]) => name), ...left]) console.error(`stale: ${name}; run "npm run gen"`);
  if (stale.length + left.length > 0) process.exitCode = 1;
} else {
  for (const name of left) rmSync(join(root, name));
  for (const [name, text] of stale) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
}
