import { Argument, Command as CommanderCommand, Option } from "commander";
import type { Command, CommandContext, CommandInput } from "./command.ts";

/** Makes the parser of a set of commands. Exit codes: 0 done, 1 failed, 2 used wrongly (docs/reference/cli.md). */
export function makeProgram(
  context: CommandContext,
  version: string,
  setExitCode: (code: number) => void,
): CommanderCommand {
  const program = new CommanderCommand("ebb")
    .description("A serverless platform that scales to zero: functions, Knative services and kubectl from one command.")
    .version(version, "-V, --version")
    .helpCommand(false)
    .showHelpAfterError("(ebb --help lists the commands)")
    .configureHelp({ sortSubcommands: false, helpWidth: 100 })
    .addHelpText(
      "after",
      "\nStart here:\n  ebb up                       start ebb on this machine\n  ebb deploy examples/hello    deploy a function\n  ebb invoke hello             call it",
    );
  program.enablePositionalOptions();
  for (const command of context.commands)
    program.addCommand(makeCommand(command, context, setExitCode), { hidden: command.hidden ?? false });
  return program;
}

function makeCommand(command: Command, context: CommandContext, setExitCode: (code: number) => void): CommanderCommand {
  const made = new CommanderCommand(command.name)
    .summary(command.summary)
    .description(command.description ?? command.summary);
  for (const arg of command.args ?? []) made.addArgument(new Argument(arg.name, arg.summary));
  for (const option of command.options ?? []) made.addOption(makeOption(option));
  if (command.examples) made.addHelpText("after", `\nExamples:\n${command.examples.map((e) => `  ${e}`).join("\n")}`);
  if (command.passThrough) made.passThroughOptions().allowUnknownOption().helpOption(false);
  for (const below of command.commands ?? [])
    made.addCommand(makeCommand(below, context, setExitCode), { hidden: below.hidden ?? false });
  const { run } = command;
  if (!run) return made.helpCommand(false);
  return made.action(async () => {
    const input: CommandInput = { args: made.args, options: made.opts() };
    const exitCode = await run(context, input);
    if (typeof exitCode === "number") setExitCode(exitCode);
  });
}

function makeOption(facts: {
  readonly flags: string;
  readonly summary: string;
  readonly default?: string | boolean;
  readonly repeat?: boolean;
}): Option {
  const option = new Option(facts.flags, facts.summary);
  if (facts.default !== undefined) option.default(facts.default);
  if (facts.repeat)
    option.argParser((value: string, before: readonly string[] | undefined) => [...(before ?? []), value]);
  return option;
}
