import { globSync } from "node:fs";
import { dirname, join, matchesGlob, relative, sep } from "node:path";
import { SourceError } from "../../build/source.ts";
import { readManifest, type Manifest } from "./manifest.ts";

export interface Member {
  readonly name: string;
  readonly dir: string;
  readonly manifest: Manifest;
}

/** A folder whose package.json holds several packages together. */
export interface Workspace {
  readonly root: string;
  readonly members: readonly Member[];
}

/**
 * The workspace that a package's folder belongs to, or is the root of. Throws SourceError when packages that the
 * folder's one needs depend on each other in a circle: none of them could be installed or loaded first.
 */
export function findWorkspace(dir: string): Workspace | undefined {
  for (let at = dir; ; at = dirname(at)) {
    const patterns = readManifest(at)?.workspaces ?? [];
    if (patterns.length > 0 && (at === dir || isMember(at, dir, patterns))) {
      const workspace = { root: at, members: membersOf(at, patterns) };
      refuseCircle(workspace, dir);
      return workspace;
    }
    if (at === dirname(at)) return undefined;
  }
}

const clean = (pattern: string): string => pattern.replace(/^\.\//, "").replace(/\/$/, "");

function isMember(root: string, dir: string, patterns: readonly string[]): boolean {
  const path = relative(root, dir).split(sep).join("/");
  return patterns.some((pattern) => matchesGlob(path, clean(pattern)));
}

function membersOf(root: string, patterns: readonly string[]): readonly Member[] {
  return globSync(patterns.map(clean), { cwd: root, exclude: (name) => name === "node_modules" })
    .sort()
    .flatMap((path) => {
      const dir = join(root, path);
      const manifest = readManifest(dir);
      return manifest?.name === undefined ? [] : [{ name: manifest.name, dir, manifest }];
    });
}

function refuseCircle({ root, members }: Workspace, dir: string): void {
  const byName = new Map(members.map((m) => [m.name, m] as const));
  const done = new Set<Member>();
  const visit = (member: Member, way: readonly Member[]): void => {
    const at = way.indexOf(member);
    if (at >= 0) throw circle(root, [...way.slice(at), member]);
    if (done.has(member)) return;
    done.add(member);
    for (const name of Object.keys(member.manifest.dependencies)) {
      const next = byName.get(name);
      if (next) visit(next, [...way, member]);
    }
  };
  for (const member of members) if (member.dir === dir) visit(member, []);
}

function circle(root: string, way: readonly Member[]): SourceError {
  const names = way.map((m) => m.name).join(" → ");
  const files = way.slice(0, -1).map((m) => join(relative(root, m.dir), "package.json"));
  return new SourceError(
    `circular workspace: ${names}; take one of these dependencies out of ${files.join(" or ")}, for example by moving what both need into a package of its own`,
  );
}
