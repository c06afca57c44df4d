import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import type { BuildContext } from "./language.ts";
import { SourceError } from "./source.ts";

export interface ToolRun {
  /** Program, found on PATH. */
  readonly tool: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** Over the build's own environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** How to get the tool, for when it is not there: `install Go from https://go.dev/dl`. */
  readonly remedy: string;
}

export interface ToolOutput {
  readonly stdout: string;
  readonly stderr: string;
}

/** A tool ended with a code other than 0. */
export class ToolError extends Error {
  override readonly name = "ToolError";
  readonly output: ToolOutput;
  constructor(run: ToolRun, end: string, output: ToolOutput) {
    const said = (output.stderr.trim() || output.stdout.trim()).split("\n").slice(-40).join("\n");
    super(`${[run.tool, ...run.args].join(" ")} ${end}${said === "" ? "" : `:\n${said}`}`);
    this.output = output;
  }
}

/**
 * Runs a build tool to its end. Throws {@link ToolError} when it fails, SourceError when it is not installed, the
 * signal's reason when that fires: the tool is then killed with everything it started.
 */
export async function runTool(
  { env, signal }: Pick<BuildContext, "env" | "signal">,
  run: ToolRun,
): Promise<ToolOutput> {
  signal.throwIfAborted();
  const child = spawn(run.tool, run.args, {
    cwd: run.cwd,
    env: { ...env, ...run.env },
    stdio: ["ignore", "pipe", "pipe"],
    // A group of its own: compilers start compilers, and all of them end with the build.
    detached: true,
  });
  const stop = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    } catch (error) {
      // Ended by itself a moment ago.
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  };
  signal.addEventListener("abort", stop, { once: true });
  try {
    const ended = new Promise<string | undefined>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code, by) => resolve(code === 0 ? undefined : `ended with ${by ?? `code ${code}`}`));
    });
    const [end, stdout, stderr] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
    signal.throwIfAborted();
    if (end !== undefined) throw new ToolError(run, end, { stdout, stderr });
    return { stdout, stderr };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    throw new SourceError(`"${run.tool}" is not on PATH: ${run.remedy}`, { cause: error });
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
