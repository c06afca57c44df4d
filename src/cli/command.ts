import { parseDuration } from "../api/meta/duration.ts";

/** A command as data: help, documentation and completion are made from it. */
export interface Command {
  /** `deploy`. */
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** More for its own help, with examples that can be pasted. */
  readonly description?: string;
  /** In order; `<required>`, `[optional]`, `[rest...]`. */
  readonly args?: readonly Argument[];
  readonly options?: readonly Option[];
  readonly examples?: readonly string[];
  /** Everything after the name is handed over as it is, also what looks like an option. */
  readonly passThrough?: boolean;
  /** Left out of help. */
  readonly hidden?: boolean;
  /** Commands below this one: `ebb image ls`. A command has these or `run`. */
  readonly commands?: readonly Command[];
  /** Resolves to an exit code; nothing means 0. */
  readonly run?: (context: CommandContext, input: CommandInput) => Promise<number | void>;
}

export interface Argument {
  readonly name: string;
  readonly summary: string;
}

export interface Option {
  /** `-n, --namespace <name>`. */
  readonly flags: string;
  readonly summary: string;
  readonly default?: string | boolean;
  /** May be given several times; the value is then a list. */
  readonly repeat?: boolean;
}

export interface CommandInput {
  readonly args: readonly string[];
  readonly options: Readonly<Record<string, string | boolean | readonly string[] | undefined>>;
}

/** What a command may use of the outside world. */
export interface CommandContext {
  /** Standard output, one line. */
  readonly print: (line: string) => void;
  /** Standard error, one line: progress and hints, so that output can be piped. */
  readonly note: (line: string) => void;
  readonly stdout: NodeJS.WritableStream;
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Fires on Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal;
  readonly commands: readonly Command[];
}

/** A failure that is the user's to fix: printed without a stack. `exitCode` 1 unless told. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly exitCode: number;

  constructor(message: string, options?: ErrorOptions & { readonly exitCode?: number }) {
    super(message, options);
    this.exitCode = options?.exitCode ?? 1;
  }
}

export function textOption(input: CommandInput, name: string): string | undefined {
  const value = input.options[name];
  return typeof value === "string" ? value : undefined;
}

export function listOption(input: CommandInput, name: string): readonly string[] {
  const value = input.options[name];
  return Array.isArray(value) ? value : [];
}

/** A whole number of at least `min`; throws a CommandError naming the option. */
export function numberOption(input: CommandInput, name: string, min: number): number | undefined {
  const text = textOption(input, name);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isInteger(value) || value < min)
    throw new CommandError(`--${name}: "${text}" is not a whole number of at least ${min}`, { exitCode: 2 });
  return value;
}

/** Milliseconds of a Go duration such as `90s`, longer than zero; throws a CommandError naming the option. */
export function durationOption(input: CommandInput, name: string): number | undefined {
  const text = textOption(input, name);
  if (text === undefined) return undefined;
  const ms = parseDuration(text);
  if (ms === undefined || ms <= 0)
    throw new CommandError(`--${name}: "${text}" is not a duration such as 90s or 5m`, { exitCode: 2 });
  return ms;
}

/** The one argument a command requires; commander has already checked that it is there. */
export function firstArg(input: CommandInput): string {
  const [first] = input.args;
  if (first === undefined) throw new CommandError("an argument is missing; see --help", { exitCode: 2 });
  return first;
}
