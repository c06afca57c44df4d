import type { HttpClient } from "../../client/http-client.ts";
import { CommandError, textOption, type CommandContext, type CommandInput } from "../command.ts";
import { connectTo } from "../connect.ts";
import { homeOf, type Home } from "../target.ts";

/** One end of a migration. */
export interface End {
  /** `standalone`, or the context's name. */
  readonly name: string;
  readonly home: Home;
  readonly client: HttpClient;
}

/** Opens the home a word names: `standalone` for the ebb on the data directory, else a context of the kubeconfig. */
export async function openEnd(context: CommandContext, input: CommandInput, name: string): Promise<End> {
  const { kubeconfig: _, context: __, ...others } = input.options;
  const file = textOption(input, "kubeconfig");
  const named = { context: name, ...(file === undefined ? {} : { kubeconfig: file }) };
  const home = homeOf(context, { ...input, options: name === "standalone" ? others : { ...others, ...named } });
  if (name === "standalone" && home.kind !== "standalone")
    throw new CommandError("standalone: no ebb runs on the data directory of this pod");
  return { name, home, client: await connectTo(home, context) };
}
