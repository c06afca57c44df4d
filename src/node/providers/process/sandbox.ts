import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Mount } from "../../runtime.ts";
import { planPrivateRoot } from "./private-root.ts";

/** How this machine lets us make private mount namespaces; undefined when it does not. */
export type SandboxMeans = "root" | "user-namespace" | undefined;

/** By path: a pod's PATH need not have it. */
const unshare = "/usr/bin/unshare";

/** Tries once what is needed for volumes; costs two short processes. */
export function findSandboxMeans(): SandboxMeans {
  if (process.platform !== "linux") return undefined;
  const works = (...args: readonly string[]): boolean => spawnSync(unshare, [...args, "/bin/true"]).status === 0;
  if (process.getuid?.() === 0 && works("--mount")) return "root";
  return works("--user", "--map-root-user", "--mount") ? "user-namespace" : undefined;
}

export interface SandboxRequest {
  readonly means: NonNullable<SandboxMeans>;
  /** The container's directory: visible and writable inside. */
  readonly dir: string;
  readonly mounts: readonly Mount[];
  readonly cwd: string;
  /** `uid:gid` to become inside; only with root. */
  readonly user?: string;
}

/**
 * The words to put before a command so that it sees its volumes: the machine's files as they are, the volumes where
 * the pod wants them, and everything it writes outside of volumes, home and temp kept in memory and gone with it. The
 * command keeps its process id.
 */
export function sandboxWords({ means, dir, mounts, cwd, user }: SandboxRequest): readonly string[] {
  const root = join(dir, "root");
  mkdirSync(root, { recursive: true });
  const wanted = mounts.map((mount) => ({
    from: mount.hostPath,
    to: withoutLinks(mount.mountPath),
    mode: mount.readOnly ? "ro" : "rw",
  }));
  const toMake = wanted.map(({ to }) => to).filter((to) => !existsSync(to));
  const binds = [
    ...(means === "root" ? machineMounts(toMake) : machineParts(toMake)),
    { from: dir, to: dir, mode: "rw" },
    ...wanted,
  ];
  return [
    unshare,
    ...(means === "root" ? [] : ["--user", "--map-root-user"]),
    "--mount",
    "--propagation",
    "private",
    "/bin/sh",
    "-c",
    script,
    "sandbox",
    root,
    means === "root" ? "/" : "",
    String(binds.length),
    ...binds.flatMap(({ from, to, mode }) => [from, to, mode]),
    cwd,
    user ?? "",
  ];
}

/** The words to put before a command that is to join the sandbox of a process. */
export function joinSandboxWords(means: NonNullable<SandboxMeans>, pid: number): readonly string[] {
  const user = means === "root" ? [] : ["--user", "--preserve-credentials"];
  return ["/usr/bin/nsenter", "--target", String(pid), ...user, "--mount", "--root", "--wd"];
}

/** The path with the links on its way resolved as the machine resolves them: `/var/run/x` is `/run/x`. */
function withoutLinks(path: string): string {
  let there = path;
  while (!existsSync(there)) there = dirname(there);
  return join(realpathSync(there), path.slice(there.length));
}

interface Bind {
  readonly from: string;
  readonly to: string;
  readonly mode: string;
}

/**
 * Filesystems mounted below the root one, outermost only: an overlay of the root does not show them. Where a mount
 * point must be made below one, that one is overlaid too: made in it, it would be made on the machine.
 */
function machineMounts(toMake: readonly string[]): readonly Bind[] {
  const points = mountPoints();
  return points
    .filter((path) => !points.some((other) => path.startsWith(`${other}/`)))
    .map((path) => {
      const makes = toMake.some((to) => to.startsWith(`${path}/`));
      return { from: path, to: path, mode: makes ? "overlay" : "rbind" };
    });
}

function machineParts(toMake: readonly string[]): readonly Bind[] {
  const list = (dir: string) =>
    readdirSync(dir, { withFileTypes: true }).map((entry) => ({
      name: entry.name,
      isFile: entry.isFile(),
      ...(entry.isSymbolicLink() ? { target: readlinkSync(join(dir, entry.name)) } : {}),
    }));
  return planPrivateRoot({ list, mountPoints: mountPoints(), toMake }).map((part) => ({
    from: part.kind === "link" ? part.target : part.path,
    to: part.path,
    mode: part.kind === "overlay" ? "user-overlay" : part.kind,
  }));
}

/** Each once, sorted; without the root. */
function mountPoints(): readonly string[] {
  const points = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .map((line) => (line.split(" ")[4] ?? "").replace(/\\040/g, " "))
    .filter((path) => path !== "" && path !== "/");
  return [...new Set(points)].sort();
}

/**
 * $1 where the root is made, $2 what it is an overlay of, if of anything, $3 how many binds, then three words for each (from, to, mode), then the directory to
 * start in, the user, and the command. POSIX shell; every step's failure ends it with 125 and a message in the log.
 */
const script = `
path=$PATH PATH=/usr/sbin:/usr/bin:/sbin:/bin
fail() { echo "sandbox: $1" >&2; exit 125; }
root=$1 lower=$2 left=$3; shift 3
mount -t tmpfs -o mode=0755 ebb "$root" || fail "no private file system at $root"
mkdir "$root/u" "$root/w" "$root/m"
[ -z "$lower" ] || mount -t overlay ebb -o "lowerdir=$lower,upperdir=$root/u,workdir=$root/w" "$root/m" || fail "no overlay of the root"
while [ "$left" -gt 0 ]; do
  from=$1 to=$root/m$2 mode=$3; shift 3; left=$((left - 1))
  if [ "$mode" = link ]; then ln -s "$from" "$to"; continue; fi
  if [ -d "$from" ]; then mkdir -p "$to" 2>/dev/null; else mkdir -p "\${to%/*}"; [ -e "$to" ] || : > "$to"; fi
  case $mode in
    overlay)
      mkdir "$root/u$left" "$root/w$left"
      mount -t overlay ebb -o "lowerdir=$from,upperdir=$root/u$left,workdir=$root/w$left" "$to" || fail "no overlay of $from" ;;
    user-overlay)
      mkdir "$root/u$left" "$root/w$left"
      mount -t overlay ebb -o "userxattr,lowerdir=$from,upperdir=$root/u$left,workdir=$root/w$left" "$to" 2>/dev/null ||
        mount --rbind "$from" "$to" 2>/dev/null || rmdir "$to" ;;
    directory) ;;
    rbind) mount --rbind "$from" "$to" 2>/dev/null ;;
    *) mount --bind "$from" "$to" || fail "cannot mount $from at $to" ;;
  esac
  [ "$mode" != ro ] || mount -o remount,bind,ro "$to" || fail "cannot make $to read-only"
done
cwd=$1 user=$2; shift 2
exec chroot \${user:+--userspec="$user"} "$root/m" /bin/sh -c 'PATH=$1; shift; cd "$0" && exec "$@"' "$cwd" "$path" "$@"
`;
