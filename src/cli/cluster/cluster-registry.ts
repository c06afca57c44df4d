import { CommandError, textOption, type CommandInput, type Option } from "../command.ts";
import { keepContextSettings, readContextSettings, type ContextPlace } from "./context-settings.ts";

/** Where the images of a cluster's functions go. */
export interface ClusterRegistry {
  /** As the nodes pull from it: `ghcr.io/me`. */
  readonly pull: string;
  /** As this machine pushes to it. */
  readonly push: string;
  /** Trust any certificate, and speak plain HTTP where there is no TLS. */
  readonly insecure: boolean;
}

export const registryFlags: readonly Option[] = [
  {
    flags: "--registry <name>",
    summary: "with --context: registry and path that images go to, such as ghcr.io/me; kept for the context",
  },
  {
    flags: "--push-registry <name>",
    summary: "the same registry as this machine reaches it, where the cluster knows it by another name; kept too",
  },
];

/**
 * The registry for a cluster: what the flags say, else what they said last for this context. What they say is kept once
 * the caller knows that it works. Throws a CommandError when none is known.
 */
export function clusterRegistry(
  input: CommandInput,
  place: ContextPlace,
): { readonly registry: ClusterRegistry; keep(): boolean } {
  const known = readContextSettings(place);
  const named = textOption(input, "registry");
  const pull = checked("registry", named ?? known.registry);
  if (pull === undefined)
    throw new CommandError(
      `context "${place.context}" needs a registry that this machine can push to and the cluster can pull from: name it once with --registry, such as --registry ghcr.io/me`,
      { exitCode: 2 },
    );
  const pushed = checked("push-registry", textOption(input, "pushRegistry"));
  // Another registry begins anew: what held for the last one says nothing about it.
  const same = named === undefined || named === known.registry;
  const pushRegistry = pushed ?? (same ? known.pushRegistry : undefined);
  const insecure = input.options["insecure"] === true || (same && known.insecure === true);
  const registry = { pull, push: pushRegistry ?? pull, insecure };
  return {
    registry,
    keep() {
      const isNew =
        pull !== known.registry || pushRegistry !== known.pushRegistry || insecure !== (known.insecure ?? false);
      if (isNew)
        keepContextSettings(place, {
          registry: pull,
          ...(pushRegistry === undefined ? {} : { pushRegistry }),
          ...(insecure ? { insecure } : {}),
        });
      return isNew;
    },
  };
}

function checked(flag: string, text: string | undefined): string | undefined {
  const name = text?.replace(/^https?:\/\//, "").replace(/\/+$/, "");
  if (name === undefined) return undefined;
  const host = /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?|\[[0-9a-fA-F:]+\])(?::\d+)?$/;
  const [first = "", ...path] = name.split("/");
  const isHost = host.test(first) && (/[.:]/.test(first) || first === "localhost");
  if (isHost && path.every((part) => /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/.test(part))) return name;
  throw new CommandError(
    `--${flag}: "${text}" is not a registry such as ghcr.io/me or registry.example.com:5000${isHost ? "; its path has lower-case letters, digits, - and _ only" : ""}`,
    { exitCode: 2 },
  );
}

/**
 * The name of a function's image there. Its tag is its digest: what a Revision runs keeps a tag, and registries that
 * clear away images without one leave it alone.
 */
export function imageNames(
  registry: ClusterRegistry,
  name: string,
  digest: string,
): { readonly pull: string; readonly push: string } {
  return {
    pull: `${registry.pull}/${name}@${digest}`,
    push: `${registry.push}/${name}:${digest.replace(/^sha256:/, "").slice(0, 12)}`,
  };
}
