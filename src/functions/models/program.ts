import type { ChildProcess } from "node:child_process";
import { LoadError } from "../hosts/node/load-error.ts";

/** The words that start a function's program. */
export interface ProgramWords {
  readonly file: string;
  readonly args: readonly string[];
}

/**
 * Checks that an entry can be executed. Throws LoadError with the remedy: missing, a directory, not executable. What the
 * system alone can tell (a missing interpreter, a foreign architecture) shows when it is started.
 */
export function checkExecutable(file: string): ProgramWords {
  const { accessSync, constants, statSync } = process.getBuiltinModule("node:fs");
  const stat = statSync(file, { throwIfNoEntry: false });
  if (!stat) throw new LoadError("NoHandler", `there is no program "${file}"`);
  if (!stat.isFile()) throw new LoadError("NoHandler", `"${file}" is no file: the entry must be a program`);
  try {
    accessSync(file, constants.X_OK);
  } catch {
    throw new LoadError("NoHandler", `"${file}" is not executable: run \`chmod +x\` on it before it is built`);
  }
  return { file, args: [] };
}

/** What a failed start means, for its owner; the errors of spawn. */
export function explainSpawnError(file: string, error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ENOENT")
    return `"${file}" could not be started: it, or the interpreter its first line names, does not exist`;
  if (code === "ENOEXEC")
    return `"${file}" could not be started: it is no program for this machine, or a script without #! line`;
  if (code === "EACCES") return `"${file}" could not be started: no permission to execute it`;
  return `"${file}" could not be started: ${String(error)}`;
}

/** `exit status 3` or `signal: killed`: how watchdogs say it. */
export function sayExit(code: number | null, signal: NodeJS.Signals | null): string {
  return signal === null ? `exit status ${code}` : `signal: ${signal === "SIGKILL" ? "killed" : signal}`;
}

/** TERM, and KILL when it is still there after the grace. */
export function endProgram(child: ChildProcess, graceMs: number): void {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), graceMs);
  child.once("exit", () => clearTimeout(timer));
}
