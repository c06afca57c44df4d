import { homedir } from "node:os";
import { join } from "node:path";
import { dockerCredentials, type FindCredentials } from "../../../images/registry/credentials.ts";
import type { OnProgress } from "../../../images/registry/progress.ts";
import { createRegistryClient, type RegistryClient } from "../../../images/registry/registry-client.ts";
import { openImageStore, type ImageStore } from "../../../images/store.ts";
import { textOption, type CommandContext, type CommandInput, type Option } from "../../command.ts";
import { dataDirOf, jsonOption } from "../../target.ts";

export const storeOptions: readonly Option[] = [
  { flags: "--data <dir>", summary: "data directory whose images are meant (EBB_DATA; default ~/.ebb)" },
  jsonOption,
];

export const registryOptions: readonly Option[] = [
  { flags: "--insecure", summary: "trust any certificate, and speak plain HTTP where there is no TLS" },
  { flags: "--ca <file>", summary: "trust the certificates in this file, besides the usual ones" },
  ...storeOptions,
];

/** The images of a data directory. No ebb needs to run on it. */
export function storeOf(context: CommandContext, input: CommandInput): ImageStore {
  return openImageStore(join(dataDirOf(context, input), "images"));
}

/** The logins of docker and podman. */
export const loginsOf = (context: CommandContext): FindCredentials =>
  dockerCredentials({ home: context.env["HOME"] ?? homedir(), env: context.env });

/** A client with the logins of docker and podman. The caller closes it. */
export function registryClientOf(
  context: CommandContext,
  input: CommandInput,
  options: { readonly insecure?: boolean; readonly findCredentials?: FindCredentials } = {},
): RegistryClient {
  const ca = textOption(input, "ca");
  return createRegistryClient({
    findCredentials: options.findCredentials ?? loginsOf(context),
    env: context.env,
    insecure: options.insecure ?? input.options["insecure"] === true,
    ...(ca === undefined ? {} : { caFile: ca }),
  });
}

/** Tells of blobs that finished, one line each, and of large ones every other second. */
export function progressTo(context: CommandContext): OnProgress {
  const told = new Map<string, number>();
  return ({ digest, size, done, state, what }) => {
    const name = `${what} ${digest.slice(7, 19)}`;
    if (state === "moving") {
      const now = Date.now();
      const last = told.get(digest) ?? now;
      told.set(digest, last);
      if (now - last < 2000) return;
      told.set(digest, now);
      context.note(`${name}: ${bytesText(done)} of ${bytesText(size)}`);
    } else if (what !== "manifest") {
      const words = { done: bytesText(size), present: "already there", mounted: "copied by the registry" }[state];
      context.note(`${name}: ${words}`);
    }
  };
}

/** `3.2 MB`. */
export function bytesText(bytes: number): string {
  for (const [unit, size] of [
    ["GB", 1e9],
    ["MB", 1e6],
    ["kB", 1e3],
  ] as const)
    if (bytes >= size) return `${(bytes / size).toFixed(1)} ${unit}`;
  return `${bytes} B`;
}
