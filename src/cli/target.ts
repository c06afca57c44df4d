import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { readRunning, type RunningEbb } from "../main/data-dir.ts";
import { CommandError, textOption, type CommandContext, type CommandInput, type Option } from "./command.ts";

/** Options of every command that talks to ebb. */
export const targetOptions: readonly Option[] = [
  { flags: "--data <dir>", summary: "data directory of the ebb to talk to (EBB_DATA; default ~/.ebb)" },
  {
    flags: "--kubeconfig <file>",
    summary: "talk to a cluster of this kubeconfig instead (default with --context: KUBECONFIG, ~/.kube/config)",
  },
  { flags: "--context <name>", summary: "talk to the cluster of this context of the kubeconfig instead" },
];

export const namespaceOption: Option = {
  flags: "-n, --namespace <name>",
  summary: "namespace (default: the context's, else default)",
};
export const jsonOption: Option = { flags: "--json", summary: "print JSON" };

/** Where a command's services live. */
export type Home =
  /** The ebb that runs on a data directory of this machine. */
  | { readonly kind: "standalone"; readonly dir: string; readonly kubeconfig: string }
  /** A cluster, by kubeconfig: one file that must be there, or those that kubectl reads. */
  | { readonly kind: "cluster"; readonly files: string | readonly string[]; readonly context: string | undefined }
  /** The cluster this very process is a pod of. */
  | { readonly kind: "pod" };

/**
 * The home that `--kubeconfig` and `--context` name, else the ebb of the data directory; inside a pod, where none runs,
 * its cluster. Throws when nothing is named and no ebb runs.
 */
export function homeOf(context: CommandContext, input: CommandInput): Home {
  const file = textOption(input, "kubeconfig");
  const name = textOption(input, "context");
  const dir = dataDirOf(context, input);
  const standalone = { kind: "standalone", dir, kubeconfig: join(dir, "kubeconfig") } as const;
  if (file !== undefined)
    return resolve(file) === standalone.kubeconfig && runningOn(dir)
      ? standalone
      : { kind: "cluster", files: file, context: name };
  if (name !== undefined) return { kind: "cluster", files: kubectlFiles(context), context: name };
  if (!runningOn(dir) && context.env["KUBERNETES_SERVICE_HOST"] !== undefined) return { kind: "pod" };
  runningOf(context, input);
  return standalone;
}

/** The files kubectl reads: those that KUBECONFIG lists, else `~/.kube/config`. */
export function kubectlFiles({ env }: CommandContext): readonly string[] {
  const listed = (env["KUBECONFIG"] ?? "").split(process.platform === "win32" ? ";" : ":").filter((f) => f !== "");
  return listed.length > 0 ? [...new Set(listed)] : [join(env["HOME"] ?? homedir(), ".kube/config")];
}

export function dataDirOf(context: CommandContext, input: CommandInput): string {
  const given = textOption(input, "data") ?? context.env["EBB_DATA"];
  return resolve(given ?? join(homedir(), ".ebb"));
}

/** What the ebb on the data directory says of itself. Throws when none runs there. */
export function runningOf(context: CommandContext, input: CommandInput): RunningEbb {
  const dir = dataDirOf(context, input);
  const running = runningOn(dir);
  if (!running)
    throw new CommandError(
      `no ebb is running on ${dir}; start one with "ebb up", name another with --data, or a cluster with --context`,
    );
  return running;
}

function runningOn(dir: string): RunningEbb | undefined {
  const running = readRunning(dir);
  return running && isAlive(running.pid) ? running : undefined;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
