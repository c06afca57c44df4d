import { setTimeout } from "node:timers/promises";
import type { Waiting } from "../../install/apply/wait-for-deployment.ts";
import { durationOption, type CommandContext, type CommandInput, type Option } from "../command.ts";
import type { Progress } from "../progress.ts";

const defaultMs = 5 * 60_000;

export const waitOption: Option = {
  flags: "--wait <duration>",
  summary: "how long to wait until everything is done",
  default: "5m",
};

/** How a command about a cluster waits: to its deadline, until Ctrl-C, telling what is going on. */
export function waitingOf(context: CommandContext, input: CommandInput, progress: Progress): Waiting {
  return {
    signal: context.signal,
    now: Date.now,
    pause: (ms) => setTimeout(ms, undefined, { signal: context.signal }),
    deadlineMs: Date.now() + (durationOption(input, "wait") ?? defaultMs),
    tell: (line) => progress.line(line),
  };
}
