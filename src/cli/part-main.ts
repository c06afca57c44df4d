/** The command line of ebb's own image: `ebb run …` alone, so that nothing else is in it. */
import { run } from "./commands/run.ts";
import { runCommandLine } from "./run-command-line.ts";

await runCommandLine(process.argv, async () => [run]);
