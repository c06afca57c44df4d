import type { ForwardedHeaders } from "../../install/bundle-options.ts";
import { CommandError, textOption, type CommandInput } from "../command.ts";

/** What `--forwarded-headers` says; throws a CommandError when that is neither. */
export function forwardedHeadersOption(input: CommandInput): ForwardedHeaders | undefined {
  const said = textOption(input, "forwardedHeaders");
  if (said === undefined || said === "pass" || said === "replace") return said;
  throw new CommandError(`--forwarded-headers: "${said}" is neither pass nor replace`, { exitCode: 2 });
}
