import type { HttpClient } from "../../client/http-client.ts";
import { textOption, type CommandContext, type CommandInput, type Option } from "../command.ts";
import { connectTo } from "../connect.ts";
import { kubectlFiles } from "../target.ts";

/** Options of commands that are about a cluster, never about an ebb of this machine. */
export const clusterOptions: readonly Option[] = [
  { flags: "--kubeconfig <file>", summary: "kubeconfig of the cluster (default: KUBECONFIG, ~/.kube/config)" },
  { flags: "--context <name>", summary: "context of the kubeconfig (default: its current one)" },
];

/** A client of the cluster that kubectl would talk to. The caller closes it. */
export async function connectCluster(context: CommandContext, input: CommandInput): Promise<HttpClient> {
  const files = textOption(input, "kubeconfig") ?? kubectlFiles(context);
  return await connectTo({ kind: "cluster", files, context: textOption(input, "context") }, context);
}
