import { once } from "node:events";
import type { ChildProcess } from "node:child_process";

/** Resolves when a server that a test started has ended; one that is not there, or ended before, is no error. */
export async function endServer(server: ChildProcess | undefined, signal: NodeJS.Signals): Promise<void> {
  if (!server || server.exitCode !== null || server.signalCode !== null) return;
  const ended = once(server, "exit");
  server.kill(signal);
  await ended;
}
