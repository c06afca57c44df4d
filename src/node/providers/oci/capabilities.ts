import { ContainerStartError } from "../../runtime.ts";

/** What container engines leave to root in a container: enough to start servers as root and drop to another user. */
const usual = [
  "CAP_CHOWN CAP_DAC_OVERRIDE CAP_FSETID CAP_FOWNER CAP_SETGID CAP_SETUID CAP_SETPCAP",
  "CAP_NET_BIND_SERVICE CAP_SYS_CHROOT CAP_KILL CAP_SETFCAP",
].flatMap((line) => line.split(" "));

/** Every capability of Linux 5.9 and later, in its own order (capability.h). */
const all = [
  "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP",
  "LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER",
  "SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE",
  "SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP",
  "MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF",
  "CHECKPOINT_RESTORE",
]
  .flatMap((line) => line.split(" "))
  .map((name) => `CAP_${name}`);

export interface CapabilityWish {
  readonly add?: readonly string[];
  readonly drop?: readonly string[];
}

/**
 * The capabilities a container's root has: the usual ones, without what is dropped, with what is added (`ALL` or a
 * name with or without `CAP_`), as the kubelet and its runtimes reckon: an added one wins over `drop: [ALL]`.
 */
export function capabilitiesOf(wish: CapabilityWish | undefined): readonly string[] {
  const drop = names(wish?.drop);
  const add = names(wish?.add);
  return all.filter((name) => add.has(name) || (usual.includes(name) && !drop.has(name)));
}

function names(list: readonly string[] | undefined): ReadonlySet<string> {
  const found = new Set<string>();
  for (const word of list ?? []) {
    if (word.toUpperCase() === "ALL") for (const name of all) found.add(name);
    else found.add(known(word));
  }
  return found;
}

function known(word: string): string {
  const upper = word.toUpperCase();
  const name = upper.startsWith("CAP_") ? upper : `CAP_${upper}`;
  if (all.includes(name)) return name;
  throw new ContainerStartError("CreateContainerConfigError", `there is no capability "${word}"`);
}
