import { join } from "node:path";
import type { BuiltFunction } from "../functions/build/build-function.ts";
import type { FoundFunction, Workspace } from "../functions/build/find-functions.ts";
import type { LanguageName, FunctionSource } from "../functions/build/source.ts";
import type { FunctionModel } from "../functions/hosts/protocol.ts";
import type { ImageStore } from "../images/store.ts";
import { CommandError, textOption, type CommandContext, type CommandInput, type Option } from "./command.ts";
import { createBases } from "./base-images.ts";
import type { Progress } from "./progress.ts";
import { namedDestination, pushBuilt, type Destination } from "./push-built.ts";
import { dataDirOf } from "./target.ts";
import { ebbVersion } from "./version.ts";

/** Options that say what a source is, for when detection guesses otherwise. */
export const sourceFlags: readonly Option[] = [
  { flags: "--language <name>", summary: "take the source for this language" },
  { flags: "--model <name>", summary: "take it for this programming model" },
  { flags: "--target <name>", summary: "the export, registered name or handler that takes requests" },
];

/** The functions at the paths of a command; the current folder when none is named. */
export async function findSources(context: CommandContext, input: CommandInput): Promise<Workspace> {
  const { findFunctions } = await import("../functions/build/find-functions.ts");
  const found = await findFunctions(input.args.length === 0 ? ["."] : input.args, await wantedOf(context, input));
  const name = textOption(input, "name");
  if (name === undefined) return found;
  const [only, second] = found.functions;
  if (!only || second)
    throw new CommandError(`--name is for one function; there are ${found.functions.length}`, { exitCode: 2 });
  return { ...found, functions: [{ ...only, source: { ...only.source, name } }] };
}

/** What the flags of {@link sourceFlags} say. */
export async function wantedOf(context: CommandContext, input: CommandInput) {
  const [{ languageNames }, { functionModels }] = await Promise.all([
    import("../functions/build/source.ts"),
    import("../functions/hosts/protocol.ts"),
  ]);
  const language = oneOf<LanguageName>(input, "language", languageNames);
  const model = oneOf<FunctionModel>(input, "model", functionModels);
  const target = textOption(input, "target");
  return {
    env: context.env,
    ...(language === undefined ? {} : { language }),
    ...(model === undefined ? {} : { model }),
    ...(target === undefined ? {} : { target }),
  };
}

function oneOf<T extends string>(input: CommandInput, flag: string, all: readonly T[]): T | undefined {
  const text = textOption(input, flag);
  const found = all.find((value) => value === text);
  if (text !== undefined && found === undefined)
    throw new CommandError(`--${flag}: "${text}" is not one of ${all.join(", ")}`, { exitCode: 2 });
  return found;
}

export interface Built extends BuiltFunction {
  readonly source: FunctionSource;
  readonly ms: number;
  readonly layers: readonly { readonly digest: string; readonly size: number }[];
  /** Whether it runs without ebb: it has a base. */
  readonly isRunnable: boolean;
  /** The name it was pushed under; absent when it was not. */
  readonly pushedTo?: string;
}

/** Builds functions one after the other, then pushes them where --push says; throws at the first that does not build. */
export async function buildAll(
  context: CommandContext,
  input: CommandInput,
  to: {
    readonly found: readonly FoundFunction[];
    readonly store: ImageStore;
    readonly progress: Progress;
    readonly namespace: string;
    /** Whether SBOM and provenance are attached to images without a base, too. */
    readonly attested: boolean;
    /** The base where --base names none. */
    readonly standardBase?: string;
    /** Where images go when --push names nothing. */
    readonly destination?: Destination;
  },
): Promise<readonly Built[]> {
  const [{ buildFunction }, { attest }] = await Promise.all([
    import("../functions/build/build-function.ts"),
    import("../functions/build/attest.ts"),
  ]);
  const { store, progress, namespace } = to;
  const cacheDir = join(dataDirOf(context, input), "cache");
  const all: Built[] = [];
  const bases = createBases(context, input, {
    store,
    progress,
    ...(to.standardBase === undefined ? {} : { standard: to.standardBase }),
  });
  for (const { source } of to.found) {
    const started = performance.now();
    progress.stage(`building ${source.name}: ${source.reasons.join(", ")}`);
    const note = (line: string): void => progress.stage(`building ${source.name}: ${line}`);
    const building = { store, cacheDir, env: context.env, note, signal: context.signal };
    const under = await bases(source.language);
    const built = await buildFunction(building, source, source.settings?.namespace ?? namespace, under);
    // With a base it has been. A plain deployment does not wait for it: a push of the image later makes up for it.
    if (!under && to.attested) {
      const from = { source, context: building };
      await attest(store, built.image, { ebbVersion: ebbVersion(), from });
    }
    for (const warning of built.warnings) progress.line(`warning: ${warning}`);
    const layers = (await store.resolve(built.image))?.manifest.layers ?? [];
    all.push({ ...built, source, ms: performance.now() - started, layers, isRunnable: under !== undefined });
  }
  const { destination = namedDestination(input, all.length) } = to;
  return destination ? await pushBuilt(context, input, all, { store, progress, destination }) : all;
}

/** `2 layers, 3.1 MB`. */
export function sizeWords(layers: Built["layers"]): string {
  const bytes = layers.reduce((sum, layer) => sum + layer.size, 0);
  const size = bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
  return `${layers.length} ${layers.length === 1 ? "layer" : "layers"}, ${size}`;
}
