import type { ClaimMessage } from "../protocol.ts";
import { LoadError } from "./load-error.ts";

/** Takes over the environment, directory and user of the function; nothing of the host's own remains visible. */
export function becomeFunction(message: ClaimMessage, port: number): void {
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, message.env, { PORT: String(port) });
  process.chdir(message.cwd);
  if (message.compileCache !== undefined && isLarge(message.entry)) {
    process.getBuiltinModule("node:module").enableCompileCache(message.compileCache);
  }
  if (message.user) {
    try {
      process.setgroups?.([message.user.gid]);
      process.setgid?.(message.user.gid);
      process.setuid?.(message.user.uid);
    } catch (error) {
      throw new LoadError("UserNotAllowed", `cannot become user ${message.user.uid}: ${String(error)}`);
    }
  }
}

/** Below this, compiling again is quicker than looking up what was compiled. */
const isLarge = (file: string): boolean =>
  (process.getBuiltinModule("node:fs").statSync(file, { throwIfNoEntry: false })?.size ?? 0) > 64 * 1024;
