import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { eventually } from "./ebb-process.ts";

/** One command of a guide and the lines below it, each of which its output must have somewhere. */
export interface GuideStep {
  readonly line: number;
  readonly command: string;
  readonly expected: readonly string[];
}

/** The commands of a guide: lines with `$ ` in its console blocks, in order. */
export function readGuide(file: string): readonly GuideStep[] {
  const steps: { line: number; command: string; expected: string[] }[] = [];
  let inside = false;
  for (const [i, text] of readFileSync(file, "utf8").split("\n").entries()) {
    if (text.startsWith("```")) inside = !inside && text === "```console";
    else if (inside && text.startsWith("$ ")) steps.push({ line: i + 1, command: text.slice(2), expected: [] });
    else if (inside && text.trim() !== "") steps.at(-1)?.expected.push(text.trim());
  }
  return steps;
}

/** A shell that runs a guide's commands as a reader would, with free ports in place of the printed ones. */
export interface GuideShell {
  /** Runs one step; throws with all output when it fails or does not say what the guide says. */
  run(step: GuideStep): Promise<void>;
  close(): Promise<void>;
}

/** Commands that stay in the foreground: they run beside the others until the end. */
const staying: Readonly<Record<string, { readonly args: string; readonly printed: string; readonly url: RegExp }>> = {
  "ebb dev": { args: "--port 0", printed: "localhost:3000", url: /localhost:(\d+)\// },
  "ebb up": { args: "--port 0 --api-port 0", printed: "localhost:8080", url: /http:\/\/127\.0\.0\.1:(\d+)/ },
};

export function startGuideShell(dir: string): GuideShell {
  const bin = join(dir, "bin");
  mkdirSync(bin, { recursive: true });
  const program = resolve(import.meta.dirname, "../../bin/ebb.js");
  writeFileSync(join(bin, "ebb"), `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`);
  chmodSync(join(bin, "ebb"), 0o755);
  const path = `${bin}:${dirname(process.execPath)}:${process.env["PATH"] ?? ""}`;
  const env = { ...process.env, PATH: path, EBB_DATA: join(dir, "data") };
  const ports = new Map<string, string>();
  const kept: ChildProcess[] = [];
  let cwd = dir;

  const asHere = (text: string): string =>
    [...ports].reduce((all, [printed, real]) => all.replaceAll(printed, real), text);

  const start = (command: string): { readonly child: ChildProcess; readonly output: () => string } => {
    const child = spawn("bash", ["-ec", `${command}\necho "cwd=$PWD" >&3`], {
      cwd,
      env,
      stdio: ["ignore", "pipe", "pipe", "pipe"],
      detached: true,
    });
    let output = "";
    child.stdout?.on("data", (chunk: Buffer) => (output += chunk));
    child.stderr?.on("data", (chunk: Buffer) => (output += chunk));
    child.stdio[3]?.on("data", (chunk: Buffer) => (cwd = String(chunk).trim().slice("cwd=".length)));
    return { child, output: () => output };
  };

  return {
    async run({ command, expected, line }) {
      const stays = staying[command];
      const says = (output: string): boolean => expected.every((text) => output.includes(asHere(text)));
      if (stays) {
        const { child, output } = start(`exec ${command} ${stays.args}`);
        kept.push(child);
        const found = await eventually(`line ${line}: ${command}`, async () => stays.url.exec(output())?.[1], {
          seen: output,
        });
        ports.set(stays.printed, stays.printed.replace(/\d+$/, found));
        await eventually(`line ${line}: ${expected.join(" | ")}`, async () => says(output()) || undefined, {
          seen: output,
        });
        return;
      }
      // What was saved a moment ago is live within a moment; a reader is no faster.
      await eventually(
        `line ${line}: ${command} says ${expected.map(asHere).join(" | ")}`,
        async () => {
          const { child, output } = start(asHere(command));
          const [code] = (await once(child, "close")) as [number];
          if (code !== 0) throw new Error(`line ${line}: ${command} ended with ${code}:\n${output()}`);
          if (!says(output())) throw new Error(`line ${line}: ${command} said\n${output()}`);
          return true;
        },
        { deadlineMs: command.startsWith("curl") ? 5000 : 0, everyMs: 50 },
      );
    },
    async close() {
      for (const child of kept.toReversed()) {
        if (child.exitCode !== null) continue;
        const exited = once(child, "exit");
        process.kill(-(child.pid ?? 0), "SIGINT");
        await exited;
      }
    },
  };
}
