import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { SourceError } from "../../build/source.ts";

/** A package manager and how it installs exactly what its lock file says, without development dependencies. */
export interface LockedInstall {
  readonly tool: "npm" | "yarn" | "pnpm";
  readonly lockFile: string;
  readonly args: readonly string[];
}

const installs: readonly LockedInstall[] = [
  { tool: "npm", lockFile: "npm-shrinkwrap.json", args: ["ci", "--omit=dev", "--no-audit", "--no-fund"] },
  { tool: "npm", lockFile: "package-lock.json", args: ["ci", "--omit=dev", "--no-audit", "--no-fund"] },
  { tool: "pnpm", lockFile: "pnpm-lock.yaml", args: ["install", "--frozen-lockfile", "--prod"] },
  { tool: "yarn", lockFile: "yarn.lock", args: ["install", "--frozen-lockfile", "--production", "--non-interactive"] },
];

/** By the lock file in a folder; undefined when it has none. */
export function lockedInstall(dir: string): LockedInstall | undefined {
  return installs.find(({ lockFile }) => existsSync(join(dir, lockFile)));
}

interface NpmLock {
  readonly packages?: Readonly<Record<string, LockedPackage>>;
}

interface LockedPackage {
  readonly version?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly devOptional?: boolean;
  readonly peer?: boolean;
  readonly link?: boolean;
}

/**
 * The first difference between what npm has installed in a folder and what its lock file says; undefined when there is
 * none, or nothing to compare. Development and optional packages may be missing.
 */
export function driftFromLock(dir: string): string | undefined {
  const locked = readLock(join(dir, "package-lock.json"));
  // npm's own record of what it has put there.
  const installed = readLock(join(dir, "node_modules/.package-lock.json"));
  if (!locked || !installed) return undefined;
  for (const [path, { version, dev, optional, devOptional, peer, link }] of Object.entries(locked)) {
    if (path === "" || link === true || !path.includes("node_modules/")) continue;
    const there = installed[path];
    if (there === undefined && (dev ?? optional ?? devOptional ?? peer) === true) continue;
    if (there?.version !== version) return `${path} is ${there?.version ?? "missing"}, locked ${version}`;
  }
  return undefined;
}

function readLock(file: string): Readonly<Record<string, LockedPackage>> | undefined {
  if (!existsSync(file)) return undefined;
  try {
    return (JSON.parse(readFileSync(file, "utf8")) as NpmLock).packages;
  } catch (error) {
    throw new SourceError(`cannot read "${file}": ${error instanceof Error ? error.message : error}`, { cause: error });
  }
}
