import { expect } from "vitest";
import type { CommandResult } from "./ebb-process.ts";
import type { Home } from "./home.ts";

/** A kubectl of one version in a namespace of its own: a user at a terminal. */
export interface KubectlSession {
  readonly namespace: string;
  /** What it printed on stdout, without the last line end; a failure is a failed test that says what it printed. */
  ok(line: string, stdin?: string): Promise<string>;
  /** What it printed on stderr and stdout when it must fail, and with which code. */
  fails(line: string, stdin?: string): Promise<{ readonly code: number; readonly text: string }>;
  run(args: readonly string[], stdin?: string): Promise<CommandResult>;
}

export function openSession(ebb: Pick<Home, "kubectl">, program: string, namespace: string): KubectlSession {
  const run = (args: readonly string[], stdin?: string): Promise<CommandResult> =>
    ebb.kubectl(["-n", namespace, ...args], { program, ...(stdin === undefined ? {} : { stdin }) });
  return {
    namespace,
    run,
    async ok(line, stdin) {
      const { code, stdout, stderr } = await run(words(line), stdin);
      expect({ line, code, stderr: code === 0 ? "" : stderr + stdout }).toEqual({ line, code: 0, stderr: "" });
      return stdout.trimEnd();
    },
    async fails(line, stdin) {
      const { code, stdout, stderr } = await run(words(line), stdin);
      expect({ line, failed: code !== 0, stdout: code === 0 ? stdout : "" }).toEqual({
        line,
        failed: true,
        stdout: "",
      });
      return { code, text: stderr + stdout };
    },
  };
}

/** Splits a command line at blanks; single quotes keep words together. */
export function words(line: string): string[] {
  return Array.from(line.matchAll(/(?:'[^']*'|[^\s'])+/g), ([word]) => word.replaceAll("'", ""));
}

/** The heads of a printed table. */
export const heads = (table: string): string => (table.split("\n")[0] ?? "").trim().replaceAll(/ {2,}/g, "|");
