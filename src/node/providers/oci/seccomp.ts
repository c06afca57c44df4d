/**
 * The RuntimeDefault filter: everything is allowed but what reaches out of a container or into the kernel's own
 * matters. A list of what is refused, not of what is known, so that a newer kernel's or libc's harmless calls work.
 */
const refused = [
  // Other namespaces, mounts and roots.
  "mount umount umount2 mount_setattr move_mount open_tree fsopen fsconfig fsmount",
  "fspick pivot_root setns unshare name_to_handle_at open_by_handle_at",
  // The kernel: modules, reboot, its clocks, its keys, its memory.
  "init_module finit_module delete_module create_module kexec_load kexec_file_load reboot",
  "swapon swapoff acct quotactl quotactl_fd syslog settimeofday clock_settime stime",
  "clock_adjtime adjtimex add_key request_key keyctl iopl ioperm nfsservctl vm86",
  "vm86old uselib ustat sysfs _sysctl lookup_dcookie get_kernel_syms query_module",
  // Watching and steering others.
  "bpf perf_event_open userfaultfd process_vm_readv process_vm_writev kcmp ptrace",
  "move_pages mbind migrate_pages set_mempolicy get_mempolicy fanotify_init vhangup",
  "io_uring_setup io_uring_enter io_uring_register pidfd_getfd",
].flatMap((line) => line.split(" "));

const eperm = 1;
const enosys = 38;
/** Flags of clone(2) that make namespaces: mount, cgroup, uts, ipc, user, pid, net. */
const newNamespace = [0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000] as const;

/** `linux.seccomp` of an OCI config (runtime-spec config-linux.md#seccomp). */
export function defaultSeccomp(): Readonly<Record<string, unknown>> {
  return {
    defaultAction: "SCMP_ACT_ALLOW",
    architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32", "SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"],
    syscalls: [
      { names: refused, action: "SCMP_ACT_ERRNO", errnoRet: eperm },
      ...newNamespace.map((flag) => ({
        names: ["clone"],
        action: "SCMP_ACT_ERRNO",
        errnoRet: eperm,
        args: [{ index: 0, value: flag, valueTwo: flag, op: "SCMP_CMP_MASKED_EQ" }],
      })),
      // Its flags are behind a pointer, which no filter can read; libc falls back to clone.
      { names: ["clone3"], action: "SCMP_ACT_ERRNO", errnoRet: enosys },
    ],
  };
}
