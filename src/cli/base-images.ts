import type { Underlay } from "../functions/build/build-function.ts";
import type { LanguageName } from "../functions/build/source.ts";
import type { Platform } from "../images/oci.ts";
import type { ImageStore } from "../images/store.ts";
import { CommandError, textOption, type CommandContext, type CommandInput, type Option } from "./command.ts";
import type { Progress } from "./progress.ts";
import { ebbVersion } from "./version.ts";

/** Options of what is built to run elsewhere too. */
export const baseFlags: readonly Option[] = [
  {
    flags: "--base <image>",
    summary:
      "lay it over an image with the runtime, so that it runs under any container runtime; machine makes one here",
  },
  { flags: "--platform <list>", summary: "with --base: build for these, such as linux/amd64,linux/arm64" },
];

/**
 * Finds the base for functions of a language, as --base and --platform say: in the store, else from its registry, or
 * made out of this machine's own runtime; `standard` where they say nothing. Undefined when none is wanted.
 */
export function createBases(
  context: CommandContext,
  input: CommandInput,
  {
    store,
    progress,
    standard,
  }: { readonly store: ImageStore; readonly progress: Progress; readonly standard?: string },
): (language: LanguageName) => Promise<Underlay | undefined> {
  const text = textOption(input, "base") ?? standard;
  if (text === undefined) {
    if (textOption(input, "platform") !== undefined)
      throw new CommandError("--platform needs --base: without a base an image has no runtime for a platform", {
        exitCode: 2,
      });
    return () => Promise.resolve(undefined);
  }
  const known = new Map<string, Promise<Underlay>>();
  return async (language) => {
    const key = text === "machine" ? language : text;
    let found = known.get(key);
    if (!found) known.set(key, (found = find(context, input, { text, language, store, progress })));
    return await found;
  };
}

interface Wanted {
  readonly text: string;
  readonly language: LanguageName;
  readonly store: ImageStore;
  readonly progress: Progress;
}

async function find(context: CommandContext, input: CommandInput, wanted: Wanted): Promise<Underlay> {
  const { text, store, progress } = wanted;
  const platforms = await platformsOf(input);
  if (text === "machine") {
    if (platforms.length > 1 || platforms.some((p) => p.architecture !== here.architecture))
      throw new CommandError(
        "--base machine is for this machine's own platform; name an image of a registry for others",
      );
    return { base: await machineBase(context, wanted), ebbVersion: ebbVersion() };
  }
  for (const platform of platforms.length === 0 ? [here] : platforms) {
    // An index that was pulled for one platform has no manifest for another: that is as good as none.
    const stored = await store.resolve(text, platform).catch(() => undefined);
    if (stored) continue;
    progress.stage(`pulling ${text} for ${platform.os}/${platform.architecture}`);
    await pull(context, input, { text, store, platform });
  }
  return { base: text, ebbVersion: ebbVersion(), ...(platforms.length === 0 ? {} : { platforms }) };
}

const here: Platform = { os: "linux", architecture: process.arch === "x64" ? "amd64" : process.arch };

async function platformsOf(input: CommandInput): Promise<readonly Platform[]> {
  const { parsePlatform } = await import("../images/oci.ts");
  const words = textOption(input, "platform")?.split(",") ?? [];
  return words.map((word) => {
    const platform = parsePlatform(word.trim());
    if (platform) return platform;
    throw new CommandError(`--platform: "${word}" is not of the form linux/amd64 or linux/arm64/v8`, { exitCode: 2 });
  });
}

/** Runtimes a base made here does not have, with an image that has them. */
const elsewhere: Readonly<Partial<Record<LanguageName, string>>> = {
  shell: "docker.io/library/alpine:3",
  java: "docker.io/library/eclipse-temurin:21-jre",
};

async function machineBase(context: CommandContext, { language, store, progress }: Wanted): Promise<string> {
  const other = elsewhere[language];
  if (other !== undefined)
    throw new CommandError(
      `a base made out of this machine has no ${language === "java" ? "Java" : "shell"}; name an image that has one with --base, such as --base ${other}`,
      { exitCode: 2 },
    );
  if (process.platform !== "linux")
    throw new CommandError(
      `--base machine needs Linux; name an image with ${language === "python" ? "python3" : "node"}, such as --base docker.io/library/${language === "python" ? "python:3-slim" : "node:26-slim"} --platform linux/amd64`,
      { exitCode: 2 },
    );
  progress.stage(`making a base image out of this machine's ${language === "python" ? "Python" : "Node"}`);
  if (language !== "python") {
    const { makeNodeBase } = await import("../images/base/node-base.ts");
    return (await makeNodeBase(store, process.execPath)).name;
  }
  const [{ findPython }, { makePythonBase }] = await Promise.all([
    import("../functions/hosts/find-python.ts"),
    import("../images/base/python-base.ts"),
  ]);
  const python = await findPython(context.env["PATH"] ?? "");
  if (!python) throw new CommandError("--base machine: there is no Python on PATH to make a base of");
  return (await makePythonBase(store, python.path)).name;
}

async function pull(
  context: CommandContext,
  input: CommandInput,
  wanted: { readonly text: string; readonly store: ImageStore; readonly platform: Platform },
): Promise<void> {
  const [{ pullImage }, { registryClientOf, progressTo }] = await Promise.all([
    import("../images/registry/pull-image.ts"),
    import("./commands/image/image-store.ts"),
  ]);
  const client = registryClientOf(context, input);
  const { text, store, platform } = wanted;
  try {
    await pullImage({ client, store }, text, { platform, signal: context.signal, progress: progressTo(context) });
  } finally {
    await client.close();
  }
}
