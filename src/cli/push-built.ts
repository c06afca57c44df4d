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
  { flags: "--insecure", summary: "with --push: trust any certificate, and speak plain HTTP where there is no TLS" },
  { flags: "--ca <file>", summary: "with --push: trust the certificates in this file, besides the usual ones" },
];

/**
 * Copies what was built to the registry that --push names, and returns it with the image as it is known there, by
 * digest; as it is when nothing is to be pushed. Throws ImageError with what to do when the registry refuses.
 */
export async function pushBuilt(
  context: CommandContext,
  input: CommandInput,
  built: readonly Built[],
  to: { readonly store: ImageStore; readonly progress: Progress },
): Promise<readonly Built[]> {
  const name = textOption(input, "push");
  if (name === undefined) return built;
  const [{ parseImageReference }, { pushImage }, { registryClientOf, bytesText }] = await Promise.all([
    import("../images/reference.ts"),
    import("../images/registry/push-image.ts"),
    import("./commands/image/image-store.ts"),
  ]);
  const { store, progress } = to;
  if (textOption(input, "base") === undefined)
    progress.line("warning: without --base the image holds no runtime, so that only ebb can run it");
  const client = registryClientOf(context, input);
  try {
    const pushed: Built[] = [];
    for (const one of built) {
      const target = built.length === 1 ? name : `${name.replace(/\/+$/, "")}/${one.source.name}`;
      const reference = parseImageReference(target);
      if (!reference || reference.digest !== undefined)
        throw new CommandError(`--push: "${target}" is not a name such as ghcr.io/me/hello:v1`, { exitCode: 2 });
      const image = `${reference.registry}/${reference.repository}@${one.digest}`;
      pushed.push({ ...one, image });
      if (input.options["dryRun"] === true) continue;
      progress.stage(`pushing ${target}`);
      const { sentBytes, sentBlobs } = await pushImage({ client, store }, one.image, target, {
        signal: context.signal,
      });
      progress.line(`pushed ${target}: ${bytesText(sentBytes)} in ${sentBlobs.length} blobs travelled`);
    }
    return pushed;
  } finally {
    await client.close();
  }
}
