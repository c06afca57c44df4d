import { chmod } from "node:fs/promises";
import { join } from "node:path";

/**
 * $1 directory of the overlay (`u`, `w` and `m` in it), $2 the image's files, $3 more mount options, then the runtime's
 * command, which it becomes. The mount lives in a namespace of its own and is gone with the container, whatever ends it.
 */
const script = `
dir=$1 lower=$2 more=$3; shift 3
mkdir -p "$dir/u" "$dir/w" "$dir/m" || exit 125
if ! mount -t overlay ebb -o "\${more}lowerdir=$lower,upperdir=$dir/u,workdir=$dir/w" "$dir/m" 2>"$dir/why"; then
  mount -t tmpfs -o mode=0755 ebb "$dir/w" && mkdir "$dir/w/u" "$dir/w/w" &&
  mount -t overlay ebb -o "\${more}lowerdir=$lower,upperdir=$dir/w/u,workdir=$dir/w/w" "$dir/m" || { cat "$dir/why" >&2; exit 125; }
fi
exec "$@"
`;

/** Words to put before a runtime's command so that `<dir>/m` is a writable copy of the image's files for it alone. */
export const overlayWords = (dir: string, lower: string, rootless: boolean): readonly string[] => [
  "unshare",
  "--mount",
  "--propagation",
  "private",
  "/bin/sh",
  "-c",
  script,
  "overlay",
  dir,
  lower,
  // What an overlay notes about files goes into attributes that anyone may set.
  rootless ? "userxattr," : "",
];

/** Once the container has ended: an overlay leaves a directory that only root can look into, and so remove. */
export async function openOverlay(dir: string): Promise<void> {
  await chmod(join(dir, "w", "work"), 0o700).catch(() => undefined);
}
