import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readdir, readFile, readlink } from "node:fs/promises";

export interface TerminalSize {
  readonly width: number;
  readonly height: number;
}

const script = "/usr/bin/script";

/** Whether commands can be given a terminal here: util-linux's script(1) makes one, and Node cannot. */
export const canGiveTerminal = (): boolean => process.platform === "linux" && existsSync(script);

/** The command that runs `command` in a new terminal of this size, passing input, output and exit code through. */
export function inTerminal(command: readonly string[], size: TerminalSize | undefined): readonly [string, ...string[]] {
  const words = command.map(quote).join(" ");
  const resize = size ? `stty rows ${Math.trunc(size.height)} cols ${Math.trunc(size.width)} 2>/dev/null; ` : "";
  return [script, "--quiet", "--return", "--flush", "--command", `${resize}exec ${words}`, "/dev/null"];
}

const quote = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;

/** Changes the size of the terminal that a script(1) process made; its programs get SIGWINCH. */
export async function resizeTerminal(scriptPid: number, size: TerminalSize): Promise<void> {
  const device = await terminalOf(scriptPid);
  if (device === undefined) return;
  const args = ["-F", device, "rows", String(Math.trunc(size.height)), "cols", String(Math.trunc(size.width))];
  await new Promise<void>((resolve) => void execFile("stty", args, () => resolve()));
}

/** The terminal that children of a process have as their input. */
async function terminalOf(parent: number): Promise<string | undefined> {
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await readFile(`/proc/${name}/stat`, "latin1").catch(() => "");
    if (Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]) !== parent) continue;
    const device = await readlink(`/proc/${name}/fd/0`).catch(() => "");
    if (device.startsWith("/dev/pts/")) return device;
  }
  return undefined;
}

/** The first size, if it comes soon: programs that look once should see it. */
export async function firstSize(
  sizes: AsyncIterator<TerminalSize> | undefined,
  withinMs: number,
): Promise<{ readonly size: TerminalSize | undefined; readonly pending?: Promise<IteratorResult<TerminalSize>> }> {
  if (!sizes) return { size: undefined };
  const pending = sizes.next();
  const late = Symbol("late");
  const first = await Promise.race([
    pending,
    new Promise<typeof late>((resolve) => setTimeout(() => resolve(late), withinMs).unref()),
  ]);
  if (first === late) return { size: undefined, pending };
  return { size: first.done === true ? undefined : first.value };
}
