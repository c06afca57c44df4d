import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CommandError, textOption, type CommandContext, type CommandInput, type Option } from "../command.ts";
import { bytesText, registryClientOf, storeOf } from "../commands/image/image-store.ts";
import type { Progress } from "../progress.ts";
import { dataDirOf } from "../target.ts";
import { ebbVersion } from "../version.ts";

export const ebbImageOptions: readonly Option[] = [
  {
    flags: "--registry <name>",
    summary: "build ebb's own image here and push it below this name, such as ghcr.io/me",
  },
  { flags: "--image <image>", summary: "use this image of ebb instead of building one" },
  {
    flags: "--insecure",
    summary: "with --registry: trust any certificate, and speak plain HTTP where there is no TLS",
  },
  { flags: "--ca <file>", summary: "with --registry: trust the certificates in this file, besides the usual ones" },
  {
    flags: "--data <dir>",
    summary: "with --registry: data directory whose image store is used (EBB_DATA; default ~/.ebb)",
  },
];

/** The image a cluster is to run, from --image, or built and pushed for --registry; undefined where neither is given. */
export async function ebbImage(
  context: CommandContext,
  input: CommandInput,
  progress: Progress,
): Promise<string | undefined> {
  const [image, registry] = [textOption(input, "image"), textOption(input, "registry")];
  if (image !== undefined && registry !== undefined)
    throw new CommandError("--image names an image that is there, --registry builds one: give one of them", {
      exitCode: 2,
    });
  if (registry === undefined) return image;
  const [{ buildEbbImage }, { pushImage }, { parseImageReference }] = await Promise.all([
    import("../../install/image/build-ebb-image.ts"),
    import("../../images/registry/push-image.ts"),
    import("../../images/reference.ts"),
  ]);
  const version = ebbVersion();
  const target = `${registry.replace(/\/+$/, "")}/ebb:${version}`;
  if (parseImageReference(target)?.registry === undefined || registry.includes("@"))
    throw new CommandError(`--registry: "${registry}" is not a name such as ghcr.io/me`, { exitCode: 2 });
  const store = storeOf(context, input);
  progress.stage("building the image of ebb");
  const { waitingHostDirectories, waitingHostFiles } = await import("../../functions/build/host-image.ts");
  const files = await waitingHostFiles(join(dataDirOf(context, input), "cache"));
  const hosts = { kind: "files", files, directories: waitingHostDirectories } as const;
  const built = await buildEbbImage(store, { program: programSource(), version, nodePath: process.execPath, hosts });
  const client = registryClientOf(context, input);
  try {
    progress.stage(`pushing ${target}`);
    const { reference, sentBytes } = await pushImage({ client, store }, built.name, target, { signal: context.signal });
    progress.line(`image ${reference} (${bytesText(sentBytes)} sent)`);
    return reference;
  } finally {
    await client.close();
  }
}

/** The command line's own files: sources in a clone, JavaScript in a package. */
function programSource(): { readonly entry: string; readonly packageJson: string } {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  return {
    entry: fileURLToPath(new URL(`../part-main.${extension}`, import.meta.url)),
    packageJson: fileURLToPath(new URL("../../../package.json", import.meta.url)),
  };
}
