import { existsSync, readFileSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, readdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { digestOf } from "../../build/cached-layer.ts";
import type { BuildContext } from "../../build/language.ts";
import { runTool, ToolError } from "../../build/run-tool.ts";
import { SourceError, type FunctionSource } from "../../build/source.ts";
import { driftFromLock, lockedInstall, type LockedInstall } from "./lock-file.ts";
import { readManifest, type Manifest } from "./manifest.ts";
import { findWorkspace, type Workspace } from "./workspace.ts";

/** Where a function's packages are. */
export interface Installed {
  /** The folder with the lock file: the package's own, or its workspace's. */
  readonly root: string;
  /** Of the packages that are loaded, nearest first. */
  readonly moduleDirs: readonly string[];
  /** Installed by ebb into its cache, since the folder has none, or others than its lock file says. */
  readonly scratch?: string;
  readonly warnings: readonly string[];
}

/**
 * Finds the packages of a function, or installs them as its lock file says: into the cache, never into the person's
 * folder, once for each lock file. Throws SourceError when that fails.
 */
export async function installPackages(source: FunctionSource, context: BuildContext, dir: string): Promise<Installed> {
  const manifest = readManifest(dir);
  const workspace = findWorkspace(dir);
  const root = workspace?.root ?? dir;
  const near = [...new Set([dir, root])].map((at) => join(at, "node_modules"));
  const needsSome = manifest !== undefined && Object.keys(manifest.dependencies).length > 0;
  if (!needsSome) return { root, moduleDirs: near, warnings: [] };
  const drift = driftFromLock(root);
  const found = near.some((at) => existsSync(at));
  if (found && drift === undefined) return { root, moduleDirs: near, warnings: [] };
  if (drift !== undefined) context.note(`node_modules is not what package-lock.json says (${drift})`);
  return await installAside(source, context, { dir, root, manifest, workspace });
}

interface Wanted {
  readonly dir: string;
  readonly root: string;
  readonly manifest: Manifest;
  readonly workspace: Workspace | undefined;
}

async function installAside(source: FunctionSource, context: BuildContext, wanted: Wanted): Promise<Installed> {
  const { root, workspace } = wanted;
  const locked = lockedInstall(root);
  const install = locked ?? unlocked;
  const locals = localPackages(wanted);
  const linked = [...(workspace?.members ?? []), ...locals.filter((local) => !local.dir.endsWith(".tgz"))];
  const manifests = [...new Set([root, ...linked.map((m) => m.dir)])].map((at) => join(at, "package.json"));
  const archives = locals.map((local) => local.dir).filter((file) => file.endsWith(".tgz"));
  const plain = [...extraFiles, install.lockFile].filter((name) => name !== "").map((name) => join(root, name));
  const inputs = [...manifests, ...archives, ...plain]
    .filter((file) => existsSync(file))
    .map((file) => ({ file, path: relative(root, file) }));
  const key = digestOf([
    `${process.platform}-${process.arch}-${process.versions.modules}`,
    JSON.stringify(source.buildEnv ?? {}),
    ...inputs.flatMap(({ file, path }) => [path, readFileSync(file)]),
    // Links lead to the folders themselves.
    ...linked.map((m) => m.dir),
  ]);
  const scratch = join(context.cacheDir, "node", key);
  const moduleDir = join(scratch, "node_modules");
  const warnings = locked
    ? []
    : [
        `"${root}" has no lock file, so each build may get other versions: run npm install there, and keep package-lock.json`,
      ];
  if (!existsSync(join(scratch, "installed"))) {
    context.note(`installing ${Object.keys(wanted.manifest.dependencies).length} packages with ${install.tool}`);
    await fill(source, context, { scratch, inputs, install });
    for (const member of linked) await pointTo(join(moduleDir, member.name), member.dir);
  }
  const moduleDirs = [relative(root, wanted.dir), ""].map((at) => join(scratch, at, "node_modules"));
  return { root, scratch, warnings, moduleDirs: [...new Set(moduleDirs)] };
}

/** Dependencies that are folders or archives of the project itself: `file:lib/a`, `link:lib/a`. */
function localPackages({ root, dir, manifest }: Wanted): readonly { readonly name: string; readonly dir: string }[] {
  return Object.entries(manifest.dependencies).flatMap(([name, spec]) => {
    const [, path] = /^(?:file|link):(.+)$/.exec(spec) ?? [];
    if (path === undefined) return [];
    const at = resolve(dir, path);
    if (relative(root, at).startsWith(".."))
      throw new SourceError(`"${name}" of "${dir}" lies outside the folder, at ${at}: run npm install there yourself`);
    return [{ name, dir: at }];
  });
}

/** Files that change what is installed beside the manifests and the lock. */
const extraFiles = [".npmrc", ".yarnrc", ".yarnrc.yml", "pnpm-workspace.yaml", ".pnpmfile.cjs"];

const unlocked: LockedInstall = {
  tool: "npm",
  lockFile: "",
  args: ["install", "--omit=dev", "--no-audit", "--no-fund", "--no-package-lock"],
};

interface Fill {
  readonly scratch: string;
  readonly inputs: readonly { readonly file: string; readonly path: string }[];
  readonly install: LockedInstall;
}

/** Installs beside the place and moves the whole there: a build that is cut off leaves nothing half done. */
async function fill(source: FunctionSource, context: BuildContext, { scratch, inputs, install }: Fill): Promise<void> {
  await mkdir(dirname(scratch), { recursive: true });
  const draft = await mkdtemp(`${scratch}-`);
  try {
    for (const { file, path } of inputs) {
      await mkdir(dirname(join(draft, path)), { recursive: true });
      await copyFile(file, join(draft, path));
    }
    const { tool, args } = install;
    const remedy = tool === "npm" ? "install Node.js with npm" : `install ${tool}, or run it in the folder before`;
    await runTool(context, { tool, args, cwd: draft, env: { ...source.buildEnv }, remedy });
    await mkdir(join(draft, "node_modules"), { recursive: true });
    await writeFile(join(draft, "installed"), "");
    await rm(scratch, { recursive: true, force: true });
    await rename(draft, scratch);
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    throw new SourceError(`the packages of "${source.dir}" cannot be installed: ${npmWords(error)}`, { cause: error });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** Without the prefix on each line and the place of npm's own log. */
function npmWords({ message, output }: ToolError): string {
  const errors = output.stderr.split("\n").filter((line) => /^npm error /i.test(line));
  const words = errors
    .map((line) => line.replace(/^npm error /i, ""))
    .filter((line) => !/complete log|^code |^$/.test(line));
  return words.length > 0 ? words.join("\n") : message;
}

/** A member of the workspace is linked to a copy without its source; the real folder takes the copy's place. */
async function pointTo(link: string, target: string): Promise<void> {
  const there = await readdir(dirname(link)).catch(() => undefined);
  if (there?.includes(link.slice(dirname(link).length + 1)) !== true) return;
  await rm(link, { recursive: true, force: true });
  await symlink(target, link);
}
