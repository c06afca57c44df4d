import type { Command } from "./command.ts";
import { completion } from "./commands/completion.ts";
import { deleteCommand } from "./commands/delete.ts";
import { deploy } from "./commands/deploy.ts";
import { get } from "./commands/get.ts";
import { invoke } from "./commands/invoke.ts";
import { kubectl } from "./commands/kubectl.ts";
import { logs } from "./commands/logs.ts";

/** Every command, in the order of the help. */
export const commands: readonly Command[] = [deploy, invoke, get, logs, deleteCommand, kubectl, completion];
