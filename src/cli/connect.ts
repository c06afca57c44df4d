import { createHttpClient, type HttpClient } from "../client/http-client.ts";
import { loadKubeconfig } from "../client/kubeconfig.ts";
import { textOption, type CommandContext, type CommandInput } from "./command.ts";
import { kubeconfigOf } from "./target.ts";

/** A client of the ebb or cluster a command was told to talk to. */
export async function connect(context: CommandContext, input: CommandInput): Promise<HttpClient> {
  const config = await loadKubeconfig(kubeconfigOf(context, input), textOption(input, "context"), context.env);
  return createHttpClient(config, { userAgent: "ebb" });
}
