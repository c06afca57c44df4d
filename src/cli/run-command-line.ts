import { CommanderError } from "commander";
import { isApiError } from "../api/meta/errors.ts";
import { CommandError, type Command, type CommandContext } from "./command.ts";
import { explainDiskFailure } from "./disk-failure.ts";
import { makeProgram } from "./program.ts";
import { ebbVersion } from "./version.ts";

/** Finds what the words after `ebb` need. */
export type LoadCommands = (words: readonly string[]) => Promise<readonly Command[]>;

/**
 * Runs the command line and sets the exit code. Ctrl-C and SIGTERM fire the context's signal; a second one ends the
 * process at once.
 */
export async function runCommandLine(argv: readonly string[], load: LoadCommands): Promise<void> {
  // A closed pipe (`ebb get | head`) is the reader's good right.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    throw error;
  });
  process.exitCode = await run(argv, load);
}

async function run(argv: readonly string[], load: LoadCommands): Promise<number> {
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const)
    process.on(name, () => (stop.signal.aborted ? process.exit(130) : stop.abort(new Error(name))));
  const context: CommandContext = {
    print: (line) => void process.stdout.write(`${line}\n`),
    note: (line) => void process.stderr.write(`${line}\n`),
    stdout: process.stdout,
    stdin: process.stdin,
    env: process.env,
    signal: stop.signal,
    commands: await load(argv.slice(2)),
  };
  try {
    let exitCode = 0;
    const program = makeProgram(context, ebbVersion(), (code) => (exitCode = code)).exitOverride();
    for (const command of program.commands) for (const one of [command, ...command.commands]) one.exitOverride();
    await program.parseAsync(argv);
    return exitCode;
  } catch (error) {
    return report(error, context);
  }
}

/** Errors whose message says what is wrong and where: a stack would add nothing. */
const usersToMend = new Set([
  "CompileError",
  "SourceError",
  "KubeconfigError",
  "DataDirError",
  "ImageError",
  "ApplyError",
  "NotReadyError",
  "UnfitClusterError",
]);

function report(error: unknown, context: CommandContext): number {
  // Commander has already printed its message and help.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof CommandError) {
    context.note(`ebb: ${error.message}`);
    return error.exitCode;
  }
  if (context.signal.aborted) return 130;
  if (isApiError(error) && error.code === 401) {
    context.note("ebb: the API server does not accept these credentials (401); log in to the cluster again");
    return 1;
  }
  if (isApiError(error) || (error instanceof Error && usersToMend.has(error.name))) {
    context.note(`ebb: ${error.message}`);
    return 1;
  }
  const debug = context.env["EBB_DEBUG"] !== undefined;
  const disk = debug ? undefined : explainDiskFailure(error);
  if (disk !== undefined) {
    context.note(`ebb: ${disk}`);
    return 1;
  }
  const shown = error instanceof Error ? (debug ? error.stack : error.message) : String(error);
  context.note(`ebb: ${shown}${debug ? "" : "  (EBB_DEBUG=1 shows more)"}`);
  return 1;
}
