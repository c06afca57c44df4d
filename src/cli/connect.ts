import type { HttpClient } from "../client/http-client.ts";
import { textOption, type CommandContext, type CommandInput } from "./command.ts";
import { kubeconfigOf } from "./target.ts";

/** A client of the ebb or cluster a command was told to talk to. */
export async function connect(context: CommandContext, input: CommandInput): Promise<HttpClient> {
  const file = kubeconfigOf(context, input);
  // Loaded on use: a third of a command's start, which deploy spends while the compiler works.
  const [{ createHttpClient }, { loadKubeconfig }] = await Promise.all([
    import("../client/http-client.ts"),
    import("../client/kubeconfig.ts"),
  ]);
  const config = await loadKubeconfig(file, textOption(input, "context"), context.env);
  return createHttpClient(config, { userAgent: "ebb" });
}
