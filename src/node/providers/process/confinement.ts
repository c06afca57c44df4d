import { chownSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Clock } from "../../../client/clock.ts";
import type { Logger } from "../../../telemetry/logger.ts";
import type { SpareDirs } from "../../instances/spare-dirs.ts";
import { ContainerStartError, type ContainerStart } from "../../runtime.ts";
import type { Cgroup, Cgroups } from "./cgroups.ts";
import { joinSandboxWords, sandboxWords, type SandboxMeans } from "./sandbox.ts";

export interface ConfinementDeps {
  readonly dirs: Pick<SpareDirs, "make">;
  readonly cgroups: Cgroups | undefined;
  /** Asked for the first container with mounts. */
  readonly sandboxMeans: () => SandboxMeans;
  /** Of this process; undefined where the system has no user ids. */
  readonly uid: number | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What one container runs under. */
export interface Confinement {
  /** Words before its command; empty when nothing needs them. */
  readonly launcher: readonly string[];
  /** Words before a command that runs beside it. */
  readonly join: (pid: number) => readonly string[];
  readonly user: { readonly uid: number; readonly gid: number } | undefined;
  /** Only a process of its own will do: not one that runs already. */
  readonly ownProcess: boolean;
  /** Puts a process that runs already under the limits, behind whatever it is doing. */
  adopt(pid: number): void;
  readonly oomKilled: () => boolean;
  /** Once all its processes are gone. */
  release(): void;
}

/** Prepares limits, user, home, temp and mounts of a container; throws ContainerStartError for what cannot be given. */
export function confine(deps: ConfinementDeps, request: ContainerStart, cwd: string): Confinement {
  const user = userOf(deps, request);
  makeDirs(deps, request, user);
  if (user) assertReachable(request.dir, user.uid);
  const means = request.mounts.length === 0 ? undefined : deps.sandboxMeans();
  if (request.mounts.length > 0 && means === undefined) throw noMounts(request);
  const { memoryBytes, cpuMillis } = request.limits;
  const limited = memoryBytes !== undefined || cpuMillis !== undefined;
  const cgroup = limited ? makeCgroup(deps, request) : undefined;
  const asUser = user && means === "root" ? { user: `${user.uid}:${user.gid}` } : {};
  const sandbox = means ? sandboxWords({ means, dir: request.dir, mounts: request.mounts, cwd, ...asUser }) : [];
  return {
    launcher: [...limitWords(cgroup, memoryBytes), ...sandbox],
    join: (pid) => (means ? joinSandboxWords(means, pid) : []),
    user: means === "root" ? undefined : user,
    ownProcess: means !== undefined,
    adopt(pid) {
      if (!cgroup) return;
      deps.clock.after(adoptAfterMs, () => {
        try {
          cgroup.add(pid);
        } catch (error) {
          deps.log.debug("limits not applied: the process has ended", { pid, err: error });
        }
      });
    },
    oomKilled: () => cgroup?.oomKilled() ?? false,
    release() {
      if (cgroup) removeSoon(deps, cgroup, 5);
    },
  };
}

/** Moving a process stops it for a moment: not while the request that woke it is being answered. */
const adoptAfterMs = 100;

function userOf({ uid }: ConfinementDeps, { security }: ContainerStart): Confinement["user"] {
  const { runAsUser, runAsGroup, runAsNonRoot, privileged } = security;
  if (privileged === true) throw needsOci("a privileged container");
  if (runAsNonRoot === true && (runAsUser ?? uid) === 0) {
    throw new ContainerStartError(
      "CreateContainerConfigError",
      "container has runAsNonRoot and image will run as root: set securityContext.runAsUser",
    );
  }
  if (runAsUser === undefined || runAsUser === uid) return undefined;
  if (uid === 0) return { uid: runAsUser, gid: runAsGroup ?? runAsUser };
  throw new ContainerStartError(
    "CreateContainerConfigError",
    `runAsUser ${runAsUser} needs ebb to run as root (it runs as ${uid}): remove runAsUser, or start ebb as root`,
  );
}

const needsOci = (what: string): ContainerStartError =>
  new ContainerStartError(
    "CreateContainerConfigError",
    `${what} cannot be had from the process provider: it needs an OCI runtime (crun, runc or runsc) on this machine`,
  );

const noMounts = ({ mounts }: ContainerStart): ContainerStartError =>
  new ContainerStartError(
    "CreateContainerConfigError",
    `mounting ${mounts.map((mount) => mount.mountPath).join(", ")} needs Linux with unshare(1), and root or user ` +
      "namespaces: start ebb as root, or allow unprivileged user namespaces",
  );

/** A home and a temp of its own, owned by whoever the program runs as. */
function makeDirs({ dirs }: ConfinementDeps, { dir }: ContainerStart, user: Confinement["user"]): void {
  dirs.make(dir);
  if (user) for (const name of ["home", "tmp"]) chownSync(join(dir, name), user.uid, user.gid);
}

/** A private directory above ours (`/root`, say) would leave the program without its files and a home. */
function assertReachable(dir: string, uid: number): void {
  for (let at = dirname(dir); at !== dirname(at); at = dirname(at)) {
    const facts = statSync(at);
    if (facts.uid === uid || (facts.mode & 0o001) !== 0) continue;
    throw new ContainerStartError(
      "CreateContainerConfigError",
      `runAsUser ${uid} cannot reach ${at}, where its files are: start ebb with --data in a place open to all, such as /var/lib/ebb`,
    );
  }
}

function makeCgroup({ cgroups, log }: ConfinementDeps, request: ContainerStart): Cgroup | undefined {
  try {
    return cgroups?.create(request.id, request.limits);
  } catch (error) {
    log.warn("container limits cannot be set", { container: request.title, err: error });
    return undefined;
  }
}

/** Enters the control group before the program exists; without one, memory is bounded by RLIMIT_DATA. */
function limitWords(cgroup: Cgroup | undefined, memoryBytes: number | undefined): readonly string[] {
  if (cgroup) {
    const script = 'for f in $1; do echo $$ > "$f"; done; shift; exec "$@"';
    return ["/bin/sh", "-c", script, "limits", cgroup.procs.join(" ")];
  }
  if (memoryBytes === undefined) return [];
  return ["/bin/sh", "-c", 'ulimit -d "$1"; shift; exec "$@"', "limits", String(Math.ceil(memoryBytes / 1024))];
}

/** The kernel lets a group go only when its last process is really gone. */
function removeSoon(deps: ConfinementDeps, cgroup: Cgroup, tries: number): void {
  if (cgroup.remove()) return;
  if (tries > 0) deps.clock.after(100, () => removeSoon(deps, cgroup, tries - 1));
  else deps.log.debug("control group not removed: a process is still in it", {});
}
