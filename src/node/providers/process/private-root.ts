/** How one path of this machine appears in a private root. */
export type RootPart =
  /** A copy for itself: what is written to it is kept aside. */
  | { readonly kind: "overlay"; readonly path: string }
  /** As it is, with everything mounted below it. */
  | { readonly kind: "rbind"; readonly path: string }
  | { readonly kind: "link"; readonly path: string; readonly target: string }
  /** Made anew; its parts follow. */
  | { readonly kind: "directory"; readonly path: string };

export interface RootFacts {
  /** Names in a directory; a link with its target. */
  readonly list: (
    dir: string,
  ) => readonly { readonly name: string; readonly target?: string; readonly isFile?: boolean }[];
  /** Every mount point of this machine but `/`. */
  readonly mountPoints: readonly string[];
  /** Mount points to be made that do not exist yet. */
  readonly toMake: readonly string[];
}

/**
 * The parts of a private root where `/` as a whole cannot be overlaid: in a user namespace the kernel copies no
 * directory that has other file systems mounted in it, lest what they cover be seen. Such directories are shown as
 * they are, or, where a mount point must be made in them, put together from their own parts. Parents come first.
 */
export function planPrivateRoot(facts: RootFacts): readonly RootPart[] {
  const within = (dir: string, path: string): boolean => path.startsWith(dir === "/" ? "/" : `${dir}/`);
  const parts: RootPart[] = [];
  const add = (path: string): void => {
    const holdsMounts = facts.mountPoints.some((point) => within(path, point));
    const makes = facts.toMake.some((point) => within(path, point));
    if (!makes && (holdsMounts || facts.mountPoints.includes(path))) parts.push({ kind: "rbind", path });
    else if (!holdsMounts) parts.push({ kind: "overlay", path });
    else take(path);
  };
  const take = (dir: string): void => {
    if (dir !== "/") parts.push({ kind: "directory", path: dir });
    for (const { name, target, isFile } of facts.list(dir)) {
      const path = dir === "/" ? `/${name}` : `${dir}/${name}`;
      if (target !== undefined) parts.push({ kind: "link", path, target });
      else if (isFile === true) parts.push({ kind: "rbind", path });
      else add(path);
    }
  };
  take("/");
  return parts;
}
