import { parsePlatform, type Platform } from "../../../images/oci.ts";
import { parseImageReference } from "../../../images/reference.ts";
import { pullImage } from "../../../images/registry/pull-image.ts";
import { pushImage } from "../../../images/registry/push-image.ts";
import { CommandError, firstArg, textOption, type Command, type CommandInput } from "../../command.ts";
import { ebbVersion } from "../../version.ts";
import { bytesText, progressTo, registryClientOf, registryOptions, storeOf } from "./image-store.ts";

const logins =
  "Logins are those of `docker login` and `podman login`, with their credential helpers. A transfer that breaks goes on where it stopped, also when the command is run again.";

export const imagePull: Command = {
  name: "pull",
  summary: "copy an image from its registry to this machine",
  description: `Copies an image from its registry to this machine. ${logins}`,
  args: [{ name: "<image>", summary: "such as nginx:1.27 or ghcr.io/org/app@sha256:…" }],
  options: [
    {
      flags: "--platform <os/arch>",
      summary: "of an image for several platforms, this one, or all (default: this machine's)",
    },
    ...registryOptions,
  ],
  examples: ["ebb image pull nginx:1.27", "ebb image pull --platform all ghcr.io/org/app:v1"],
  run: async (context, input) => {
    const platform = platformOption(input);
    const store = storeOf(context, input);
    const client = registryClientOf(context, input);
    try {
      const pulled = await pullImage({ client, store }, firstArg(input), {
        signal: context.signal,
        progress: progressTo(context),
        ...(platform ? { platform } : {}),
      });
      context.print(input.options["json"] === true ? JSON.stringify(pulled) : pulled.reference);
    } finally {
      await client.close();
    }
  },
};

function platformOption(input: CommandInput): Platform | "all" | undefined {
  const text = textOption(input, "platform");
  if (text === undefined || text === "all") return text;
  const platform = parsePlatform(text);
  if (!platform)
    throw new CommandError(`--platform: "${text}" is not of the form linux/amd64 or linux/arm64/v8`, { exitCode: 2 });
  return platform;
}

export const imagePush: Command = {
  name: "push",
  summary: "copy an image of this machine to a registry",
  description: `Copies an image of this machine to a registry, with its SBOM and provenance. Only what the registry does not have travels. ${logins}`,
  args: [
    { name: "<image>", summary: "name of the image here" },
    { name: "[to]", summary: "name it gets there; the same when left out" },
  ],
  options: [
    { flags: "--platform <os/arch>", summary: "of an image for several platforms, push this one alone" },
    { flags: "--without-referrers", summary: "leave SBOM, provenance and signatures here" },
    ...registryOptions,
  ],
  examples: ["ebb image push dev.local/default/hello ghcr.io/me/hello:v1"],
  run: async (context, input) => {
    const [from = "", to = from] = input.args;
    const target = parseImageReference(to);
    if (target?.registry === "dev.local")
      throw new CommandError(`"${to}" names no registry; say where to push it: ebb image push ${from} HOST/NAME:TAG`, {
        exitCode: 2,
      });
    const platform = platformOption(input);
    const store = storeOf(context, input);
    if (input.options["withoutReferrers"] !== true) {
      const { attestBefore } = await import("../../../functions/build/attest.ts");
      await attestBefore(store, from, ebbVersion());
    }
    const one = platform && platform !== "all" ? await store.resolve(from, platform) : undefined;
    const reference = parseImageReference(from);
    const source = one && reference ? `${reference.registry}/${reference.repository}@${one.digest}` : from;
    const client = registryClientOf(context, input);
    try {
      const pushed = await pushImage({ client, store }, source, to, {
        signal: context.signal,
        progress: progressTo(context),
        withoutReferrers: input.options["withoutReferrers"] === true,
      });
      context.note(`sent ${bytesText(pushed.sentBytes)} in ${pushed.sentBlobs.length} blobs`);
      context.print(input.options["json"] === true ? JSON.stringify(pushed) : pushed.reference);
    } finally {
      await client.close();
    }
  },
};
