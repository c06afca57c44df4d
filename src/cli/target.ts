import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { readRunning, type RunningEbb } from "../main/data-dir.ts";
import { CommandError, textOption, type CommandContext, type CommandInput, type Option } from "./command.ts";

/** Options of every command that talks to ebb. */
export const targetOptions: readonly Option[] = [
  { flags: "--data <dir>", summary: "data directory of the ebb to talk to (EBB_DATA; default ~/.ebb)" },
  { flags: "--kubeconfig <file>", summary: "talk to the cluster of this kubeconfig instead" },
  { flags: "--context <name>", summary: "context of the kubeconfig" },
];

export const namespaceOption: Option = { flags: "-n, --namespace <name>", summary: "namespace", default: "default" };
export const jsonOption: Option = { flags: "--json", summary: "print JSON" };

export function dataDirOf(context: CommandContext, input: CommandInput): string {
  const given = textOption(input, "data") ?? context.env["EBB_DATA"];
  return resolve(given ?? join(homedir(), ".ebb"));
}

/** The kubeconfig to use: the one named, else the running ebb's. Throws when no ebb runs on the data directory. */
export function kubeconfigOf(context: CommandContext, input: CommandInput): string {
  const given = textOption(input, "kubeconfig");
  if (given !== undefined) return given;
  runningOf(context, input);
  return join(dataDirOf(context, input), "kubeconfig");
}

/** What the ebb on the data directory says of itself. Throws when none runs there. */
export function runningOf(context: CommandContext, input: CommandInput): RunningEbb {
  const dir = dataDirOf(context, input);
  const running = readRunning(dir);
  if (!running || !isAlive(running.pid))
    throw new CommandError(`no ebb is running on ${dir}; start one with "ebb up", or name another with --data`);
  return running;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
