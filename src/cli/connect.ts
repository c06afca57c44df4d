import type { HttpClient } from "../client/http-client.ts";
import type { ConnectionConfig } from "../client/kubeconfig.ts";
import { textOption, type CommandContext, type CommandInput } from "./command.ts";
import { homeOf, type Home } from "./target.ts";

/** A client of the ebb or cluster a command was told to talk to. */
export async function connect(context: CommandContext, input: CommandInput): Promise<HttpClient> {
  return await connectTo(homeOf(context, input), context, textOption(input, "context"));
}

/** A client of a home. `contextName` chooses in the kubeconfig of a standalone ebb, too. */
export async function connectTo(home: Home, { env }: CommandContext, contextName?: string): Promise<HttpClient> {
  // Loaded on use: a third of a command's start, which deploy spends while the compiler works.
  const [{ createHttpClient }, { loadKubeconfig, inClusterConfig }] = await Promise.all([
    import("../client/http-client.ts"),
    import("../client/kubeconfig.ts"),
  ]);
  const load = async (): Promise<ConnectionConfig> => {
    if (home.kind === "pod") return await inClusterConfig(env);
    if (home.kind === "cluster") return await loadKubeconfig(home.files, home.context, env);
    return await loadKubeconfig(home.kubeconfig, contextName, env);
  };
  return createHttpClient(await load(), { userAgent: "ebb" });
}

/** How a home is called in messages: `context "prod"`. */
export function homeName(home: Home, client: HttpClient): string {
  if (home.kind === "standalone") return `the ebb on ${home.dir}`;
  return home.kind === "pod" ? "this pod's cluster" : `context "${client.config.context ?? ""}"`;
}
