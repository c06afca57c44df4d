import type { Command } from "./command.ts";
import { completion } from "./commands/completion.ts";
import { deleteCommand } from "./commands/delete.ts";
import { deploy } from "./commands/deploy.ts";
import { dev } from "./commands/dev.ts";
import { explain } from "./commands/explain.ts";
import { get } from "./commands/get.ts";
import { invoke } from "./commands/invoke.ts";
import { kubectl } from "./commands/kubectl.ts";
import { logs } from "./commands/logs.ts";
import { start } from "./commands/start.ts";
import { up } from "./commands/up.ts";

/** Every command, in the order of the help. */
export const commands: readonly Command[] = [
  up,
  dev,
  deploy,
  invoke,
  get,
  logs,
  explain,
  deleteCommand,
  kubectl,
  completion,
  start,
];
