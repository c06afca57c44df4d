import type { Command } from "./command.ts";
import { build } from "./commands/build.ts";
import { completion } from "./commands/completion.ts";
import { deleteCommand } from "./commands/delete.ts";
import { deploy } from "./commands/deploy.ts";
import { describe } from "./commands/describe.ts";
import { dev } from "./commands/dev.ts";
import { explain } from "./commands/explain.ts";
import { get } from "./commands/get.ts";
import { image } from "./commands/image/image.ts";
import { invoke } from "./commands/invoke.ts";
import { kubectl } from "./commands/kubectl.ts";
import { logs } from "./commands/logs.ts";
import { newCommand } from "./commands/new.ts";
import { rollback } from "./commands/rollback.ts";
import { start } from "./commands/start.ts";
import { up } from "./commands/up.ts";

/** Every command, in the order of the help. */
export const commands: readonly Command[] = [
  up,
  newCommand,
  dev,
  build,
  deploy,
  invoke,
  get,
  describe,
  logs,
  explain,
  rollback,
  deleteCommand,
  image,
  kubectl,
  completion,
  start,
];
