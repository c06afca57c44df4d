import type { Command } from "./command.ts";
import { completion } from "./commands/completion.ts";
import { kubectl } from "./commands/kubectl.ts";

/** Every command, in the order of the help. */
export const commands: readonly Command[] = [kubectl, completion];
