import { loadCommandsFor } from "./commands.ts";
import { runCommandLine } from "./run-command-line.ts";

// The compiler of functions is written in Go, lives for seconds, and at its default collects garbage for a third of them.
process.env["GOGC"] ??= "400";
await runCommandLine(process.argv, loadCommandsFor);
