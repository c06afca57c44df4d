import { KnativeServiceKind } from "../../api/serving/kinds.ts";
import type { HttpClient } from "../../client/http-client.ts";
import type { Built } from "../build-source.ts";
import { textOption, type CommandContext, type CommandInput } from "../command.ts";
import type { Progress } from "../progress.ts";
import { namedDestination, type Destination } from "../push-built.ts";
import { dataDirOf } from "../target.ts";
import { clusterRegistry, imageNames } from "./cluster-registry.ts";
import { checkCluster, nobodyServes, type Permission } from "./preflight.ts";
import { pullSecretFor } from "./pull-secret.ts";

/** What deploying to a cluster adds to deploying here. */
export interface ClusterTarget {
  /** Base and destination where the flags name none: the cluster has no runtime of this machine's. */
  readonly building: { readonly standardBase: string; readonly destination: Destination };
  /** Keeps the registry for the next time; called once it has taken an image. */
  readonly keepRegistry: () => void;
  /** The Secret that pods need to pull an image with. */
  readonly pullSecret: (built: Pushed, namespace: string) => Promise<string | undefined>;
}

const deploying: readonly Permission[] = ["get", "create", "patch"].map((verb) => ({
  verb,
  group: KnativeServiceKind.group,
  resource: KnativeServiceKind.plural,
}));

/**
 * Finds out all that can make a deployment to a cluster fail before anything is built: the registry, whether ebb is
 * there, the namespaces, permissions. Nothing is asked for a dry run.
 */
export async function clusterTarget(
  context: CommandContext,
  input: CommandInput,
  of: { readonly client: HttpClient; readonly namespaces: readonly string[]; readonly progress: Progress },
): Promise<ClusterTarget> {
  const { client, namespaces, progress } = of;
  const { destination, keep } = destinationOf(context, input, client);
  if (input.options["dryRun"] !== true) {
    await checkCluster(client, namespaces, deploying);
    const warning = await nobodyServes(client);
    if (warning !== undefined) progress.line(warning);
  }
  if (textOption(input, "base") === undefined)
    progress.line(
      "the image gets a base with this machine's runtime, since the cluster has none (--base names another)",
    );
  return {
    building: { standardBase: "machine", destination },
    keepRegistry: () => {
      if (keep()) progress.line(`the registry is kept for context ${client.config.context ?? "of this pod"}`);
    },
    pullSecret: (built, namespace) => findPullSecret(context, input, { client, namespace, built, destination }),
  };
}

/** An image as it was pushed. */
type Pushed = Pick<Built, "image" | "pushedTo">;

function destinationOf(
  context: CommandContext,
  input: CommandInput,
  { config }: HttpClient,
): { readonly destination: Destination; keep(): boolean } {
  const named = namedDestination(input, Math.max(1, input.args.length));
  if (named) return { destination: named, keep: () => false };
  const place = { dataDir: dataDirOf(context, input), context: config.context ?? "pod", server: config.server };
  const { registry, keep } = clusterRegistry(input, place);
  const names = (name: string, digest: string) => imageNames(registry, name, digest);
  return { destination: { names, insecure: registry.insecure }, keep };
}

async function findPullSecret(
  context: CommandContext,
  input: CommandInput,
  of: {
    readonly client: HttpClient;
    readonly namespace: string;
    readonly built: Pushed;
    readonly destination: Destination;
  },
): Promise<string | undefined> {
  const { loginsOf, registryClientOf } = await import("../commands/image/image-store.ts");
  const { insecure } = of.destination;
  const anonymous = registryClientOf(context, input, { insecure, findCredentials: async () => undefined });
  try {
    return await pullSecretFor(input, {
      client: of.client,
      namespace: of.namespace,
      image: of.built.image,
      anonymous,
      reachable: of.built.pushedTo ?? of.built.image,
      findCredentials: loginsOf(context),
    });
  } finally {
    await anonymous.close();
  }
}
