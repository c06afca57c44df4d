import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import type { Command, CommandContext, CommandInput } from "./command.ts";
import { loadCommands, loadCommandsFor } from "./commands.ts";
import { makeProgram } from "./program.ts";

const commands = await loadCommands();

function contextOf(list: readonly Command[], printed: string[] = []): CommandContext {
  const print = (line: string): void => void printed.push(line);
  const streams = { stdout: new PassThrough(), stdin: new PassThrough() };
  return { print, note: print, ...streams, env: {}, signal: new AbortController().signal, commands: list };
}

test("every command builds, says what it is for, and has no option twice", () => {
  const program = makeProgram(contextOf(commands), "1.0.0", () => undefined);
  for (const command of program.commands) expect(command.helpInformation()).toContain("Usage:");
  for (const command of commands) expect(command.summary).toMatch(/^[a-z]/);
});

test("options and arguments reach the command, repeated ones as a list", async () => {
  const seen: CommandInput[] = [];
  const echo: Command = {
    name: "echo",
    summary: "repeat",
    args: [{ name: "<what>", summary: "what" }],
    options: [
      { flags: "-e, --env <x>", summary: "env", repeat: true },
      { flags: "--dry-run", summary: "dry" },
    ],
    run: async (_context, input) => void seen.push(input),
  };
  await makeProgram(contextOf([echo]), "1", () => undefined).parseAsync([
    "node",
    "ebb",
    "echo",
    "hi",
    "-e",
    "A=1",
    "-e",
    "B=2",
    "--dry-run",
  ]);
  expect(seen).toEqual([{ args: ["hi"], options: { env: ["A=1", "B=2"], dryRun: true } }]);
});

test("a pass-through command gets everything behind its name as it is", async () => {
  const seen: (readonly string[])[] = [];
  const through: Command = {
    name: "kubectl",
    summary: "pass",
    args: [{ name: "[args...]", summary: "args" }],
    passThrough: true,
    run: async (_context, input) => void seen.push(input.args),
  };
  await makeProgram(contextOf([through]), "1", () => undefined).parseAsync([
    "node",
    "ebb",
    "kubectl",
    "get",
    "pods",
    "-A",
    "--help",
  ]);
  expect(seen).toEqual([["get", "pods", "-A", "--help"]]);
});

test("the exit code a command resolves to is handed on", async () => {
  const codes: number[] = [];
  const failing: Command = { name: "fail", summary: "fail", run: async () => 3 };
  await makeProgram(contextOf([failing]), "1", (code) => codes.push(code)).parseAsync(["node", "ebb", "fail"]);
  expect(codes).toEqual([3]);
});

test("the completion script names every command shown", async () => {
  const printed: string[] = [];
  await makeProgram(contextOf(commands, printed), "1", () => undefined).parseAsync([
    "node",
    "ebb",
    "completion",
    "bash",
  ]);
  for (const command of commands.filter((c) => !c.hidden)) expect(printed.join("\n")).toContain(command.name);
});

test("only the command asked for is loaded, all for help and for what is none", async () => {
  expect((await loadCommandsFor(["deploy", "."])).map((c) => c.name)).toEqual(["deploy"]);
  expect(await loadCommandsFor(["--version"])).toEqual([]);
  for (const words of [[], ["--help"], ["completion", "bash"], ["deplyo"], ["constructor"]])
    expect(await loadCommandsFor(words)).toHaveLength(commands.length);
  for (const { name } of commands) expect((await loadCommandsFor([name])).map((c) => c.name)).toContain(name);
});
