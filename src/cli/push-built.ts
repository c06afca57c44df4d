import type { ImageStore } from "../images/store.ts";
import type { Built } from "./build-source.ts";
import { CommandError, textOption, type CommandContext, type CommandInput, type Option } from "./command.ts";
import type { Progress } from "./progress.ts";

/** Options of what is built to be run from a registry. */
export const pushFlags: readonly Option[] = [
  {
    flags: "--push <image>",
    summary: "copy it to a registry under this name; several functions go below it, each by its own name",
  },
  {
    flags: "--insecure",
    summary: "with --push or --registry: trust any certificate, and speak plain HTTP where there is no TLS",
  },
  {
    flags: "--ca <file>",
    summary: "with --push or --registry: trust the certificates in this file, besides the usual ones",
  },
];

/** Where images are copied to. */
export interface Destination {
  /** Names of a function's image: as whoever runs it pulls it, by digest, and as this machine pushes it. */
  readonly names: (name: string, digest: string) => { readonly pull: string; readonly push: string };
  /** Trust any certificate, and speak plain HTTP where there is no TLS. */
  readonly insecure: boolean;
}

/** What --push says, for so many functions; undefined when it says nothing. Throws a CommandError for no name. */
export function namedDestination(input: CommandInput, count: number): Destination | undefined {
  const given = textOption(input, "push");
  if (given === undefined) return undefined;
  return {
    insecure: input.options["insecure"] === true,
    names: (name, digest) => {
      const push = count === 1 ? given : `${given.replace(/\/+$/, "")}/${name}`;
      // The tag, behind the last slash: a registry may have a port.
      return { push, pull: `${push.replace(/:[^:/]*$/, "")}@${digest}` };
    },
  };
}

/**
 * Copies what was built to a registry, and returns it with the image as it is known there, by digest. Throws ImageError
 * with what to do when the registry refuses.
 */
export async function pushBuilt(
  context: CommandContext,
  input: CommandInput,
  built: readonly Built[],
  to: { readonly store: ImageStore; readonly progress: Progress; readonly destination: Destination },
): Promise<readonly Built[]> {
  const [{ canonicalName, parseImageReference }, { pushImage }, { registryClientOf, bytesText }] = await Promise.all([
    import("../images/reference.ts"),
    import("../images/registry/push-image.ts"),
    import("./commands/image/image-store.ts"),
  ]);
  const { store, progress, destination } = to;
  if (built.some((one) => !one.isRunnable))
    progress.line("warning: without --base the image holds no runtime, so that only ebb can run it");
  const client = registryClientOf(context, input, { insecure: destination.insecure });
  try {
    const pushed: Built[] = [];
    for (const one of built) {
      const { pull, push } = destination.names(one.source.name, one.digest);
      const reference = parseImageReference(push);
      const pulled = parseImageReference(pull);
      if (!reference || !pulled || reference.digest !== undefined)
        throw new CommandError(`"${push}" is not a name for an image, such as ghcr.io/me/hello:v1`, { exitCode: 2 });
      pushed.push({ ...one, image: canonicalName(pulled), pushedTo: push });
      if (input.options["dryRun"] === true) continue;
      progress.stage(`pushing ${push}`);
      const { sentBytes, sentBlobs } = await pushImage({ client, store }, one.image, push, { signal: context.signal });
      progress.line(`pushed ${push}: ${bytesText(sentBytes)} in ${sentBlobs.length} blobs travelled`);
    }
    return pushed;
  } finally {
    await client.close();
  }
}
