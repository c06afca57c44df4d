import type { RunConfig } from "../../image-source.ts";
import { ContainerStartError, type ContainerStart } from "../../runtime.ts";
import { capabilitiesOf } from "./capabilities.ts";
import type { ContainerUser } from "./container-user.ts";
import { defaultSeccomp } from "./seccomp.ts";

export interface BundleFacts {
  readonly request: ContainerStart;
  readonly image: RunConfig;
  readonly user: ContainerUser;
  /** Where the container's root is mounted. */
  readonly root: string;
  /** Path of its network namespace; undefined for the one the runtime is in. */
  readonly networkNamespace: string | undefined;
  /** The runtime has no rights of its own: no control groups, and only one user. */
  readonly rootless: boolean;
  /** Files that name the pod and its resolver: path in the container → file here. */
  readonly etc: Readonly<Record<string, string>>;
  readonly hostname: string;
  readonly cgroupsPath: string;
}

/** An OCI runtime configuration (runtime-spec v1.0, config.md and config-linux.md) for one container. Pure. */
export function makeBundle(facts: BundleFacts): Readonly<Record<string, unknown>> {
  const { request, user, root } = facts;
  const { security } = request;
  const privileged = security.privileged === true;
  const capabilities = capabilitiesOf(privileged ? { add: ["ALL"] } : security.capabilities);
  // Only root has them; another user gets them by files that grant them, unless that is ruled out.
  const effective = user.uid === 0 ? capabilities : [];
  return {
    ociVersion: "1.0.2",
    process: {
      terminal: false,
      user: { uid: user.uid, gid: user.gid, additionalGids: user.additionalGids },
      args: commandOf(facts),
      env: Object.entries(environment(facts)).map(([name, value]) => `${name}=${value}`),
      cwd: request.workingDir ?? (facts.image.WorkingDir || "/"),
      capabilities: { bounding: capabilities, permitted: effective, effective, inheritable: [], ambient: [] },
      ...(facts.rootless ? { rlimits: memoryRlimit(request) } : {}),
      noNewPrivileges: !privileged && security.allowPrivilegeEscalation === false,
    },
    root: { path: root, readonly: security.readOnlyRootFilesystem === true },
    hostname: facts.hostname,
    mounts: [...kernelMounts(privileged), ...etcMounts(facts.etc), ...volumeMounts(request)],
    linux: {
      namespaces: [
        ...["pid", "ipc", "uts", "mount", "cgroup"].map((type) => ({ type })),
        ...(facts.networkNamespace === undefined ? [] : [{ type: "network", path: facts.networkNamespace }]),
      ],
      ...(facts.rootless
        ? {}
        : {
            cgroupsPath: facts.cgroupsPath,
            resources: { ...limitsOf(request), devices: [{ allow: privileged, access: "rwm" }] },
          }),
      ...(privileged ? {} : { maskedPaths, readonlyPaths }),
      ...(privileged || security.seccompProfile?.type === "Unconfined" ? {} : { seccomp: defaultSeccomp() }),
    },
  };
}

/** As the kubelet does: command replaces Entrypoint and drops Cmd, args alone replaces Cmd. */
function commandOf({ request, image }: BundleFacts): readonly string[] {
  const command = request.command?.length ? request.command : (image.Entrypoint ?? []);
  const args = request.args?.length || request.command?.length ? (request.args ?? []) : (image.Cmd ?? []);
  const words = [...command, ...args];
  if (words.length > 0) return words;
  throw new ContainerStartError(
    "CreateContainerError",
    `image "${request.image}" has no Entrypoint or Cmd: set the container's command`,
  );
}

/** A container's program has its own network, so PORT is the port it declares. */
export function environment({ request, image, user, hostname }: BundleFacts): Readonly<Record<string, string>> {
  const env: Record<string, string> = { PATH: usualPath, HOSTNAME: hostname, HOME: user.home };
  for (const entry of image.Env ?? []) {
    const at = entry.indexOf("=");
    if (at > 0) env[entry.slice(0, at)] = entry.slice(at + 1);
  }
  return { ...env, ...(request.port === undefined ? {} : { PORT: String(request.port) }), ...request.env };
}

const usualPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

function limitsOf({ limits: { memoryBytes, cpuMillis } }: ContainerStart): Readonly<Record<string, unknown>> {
  return {
    ...(memoryBytes === undefined ? {} : { memory: { limit: memoryBytes } }),
    ...(cpuMillis === undefined ? {} : { cpu: { quota: Math.max(1_000, cpuMillis * 100), period: 100_000 } }),
    pids: { limit: 4096 },
  };
}

/** Without control groups a program's data is what can be bounded. */
const memoryRlimit = ({ limits: { memoryBytes } }: ContainerStart): readonly unknown[] =>
  memoryBytes === undefined ? [] : [{ type: "RLIMIT_DATA", hard: memoryBytes, soft: memoryBytes }];

const kernelMounts = (privileged: boolean): readonly unknown[] => [
  { destination: "/proc", type: "proc", source: "proc", options: ["nosuid", "noexec", "nodev"] },
  {
    destination: "/dev",
    type: "tmpfs",
    source: "tmpfs",
    options: ["nosuid", "strictatime", "mode=755", "size=65536k"],
  },
  {
    destination: "/dev/pts",
    type: "devpts",
    source: "devpts",
    options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"],
  },
  {
    destination: "/dev/shm",
    type: "tmpfs",
    source: "shm",
    options: ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"],
  },
  { destination: "/dev/mqueue", type: "mqueue", source: "mqueue", options: ["nosuid", "noexec", "nodev"] },
  {
    destination: "/sys",
    type: "sysfs",
    source: "sysfs",
    options: ["nosuid", "noexec", "nodev", privileged ? "rw" : "ro"],
  },
];

const etcMounts = (etc: Readonly<Record<string, string>>): readonly unknown[] =>
  Object.entries(etc).map(([destination, source]) => ({
    destination,
    type: "bind",
    source,
    options: ["rbind", "rprivate", "rw"],
  }));

const volumeMounts = ({ mounts }: ContainerStart): readonly unknown[] =>
  mounts.map(({ hostPath, mountPath, readOnly }) => ({
    destination: mountPath,
    type: "bind",
    source: hostPath,
    options: ["rbind", "rprivate", readOnly ? "ro" : "rw"],
  }));

/** What of /proc and /sys tells of the machine, or steers it. */
const maskedPaths = [
  "/proc/asound /proc/acpi /proc/kcore /proc/keys /proc/latency_stats /proc/timer_list",
  "/proc/timer_stats /proc/sched_debug /proc/scsi /proc/interrupts /sys/firmware",
  "/sys/devices/virtual/powercap",
].flatMap((line) => line.split(" "));
const readonlyPaths = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];
