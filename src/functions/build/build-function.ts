import { buildImage, buildIndex, type ImageSource } from "../../images/build-image.ts";
import { platformOf, platformText, type Platform } from "../../images/oci.ts";
import { functionModels, type FunctionModel } from "../hosts/protocol.ts";
import { attest, builtInPackages, packagesAnnotation } from "./attest.ts";
import { functionLabels } from "./labels.ts";
import type { BuildContext, Packed } from "./language.ts";
import { languages } from "./languages.ts";
import { oversizeWarnings } from "./oversize.ts";
import { runnable } from "./runnable.ts";
import { SourceError, type FunctionSource } from "./source.ts";

export interface BuiltFunction {
  /** Pinned by digest: `dev.local/<namespace>/<name>@sha256:…`. */
  readonly image: string;
  readonly digest: string;
  /** How it takes requests, as far as the build could tell. */
  readonly model: FunctionModel;
  readonly warnings: readonly string[];
}

/**
 * Builds a function's image into a store. Nothing is tagged when the source does not compile.
 * `dev.local` is a registry nobody asks: Serving takes its images as they are.
 */
export async function buildFunction(
  context: BuildContext,
  source: FunctionSource,
  namespace: string,
  under?: Underlay,
): Promise<BuiltFunction> {
  const packed = await packFunction(context, source);
  const { architecture } = packed;
  const { layers, config } = under ? await runnable(context, packed) : packed;
  const packages = (await builtInPackages(source, packed)).map(({ purl }) => purl).join(" ");
  const name = `dev.local/${namespace}/${source.name}`;
  const image = {
    layers,
    // Every function listens on PORT, 8080 where nothing says otherwise.
    config: { ExposedPorts: { "8080/tcp": {} }, ...config },
    ...(architecture === undefined ? {} : { architecture }),
    ...(packages === "" ? {} : { annotations: { [packagesAnnotation]: packages } }),
  };
  const digest = await (under ? buildOver(context, name, image, under) : buildImage(context.store, name, image));
  const pinned = `${name}@${digest}`;
  if (under) {
    const { ebbVersion } = under;
    await attest(context.store, pinned, { ebbVersion, from: { source, context }, under, ownLayers: layers.length });
  }
  const warnings = [...(source.warnings ?? []), ...packed.warnings, ...oversizeWarnings(packed.layers)];
  const label = config.Labels?.[functionLabels.model];
  const model = functionModels.find((one) => one === label) ?? "auto";
  return { image: pinned, digest, model, warnings };
}

/** An image of the store, with the language's runtime, that functions' own layers are laid over. */
export interface Underlay {
  readonly base: string;
  /** Several make one image for all of them, of a function without machine code. This machine's when absent. */
  readonly platforms?: readonly Platform[];
  /** For the SBOM and the provenance that such images get: `0.1.0`. */
  readonly ebbVersion: string;
}

async function buildOver(context: BuildContext, name: string, image: ImageSource, under: Underlay): Promise<string> {
  const { store } = context;
  const { base, platforms = [] } = under;
  const [first, second] = platforms;
  const other = platforms.find((platform) => platform.architecture !== image.architecture);
  if (image.architecture !== undefined && other)
    throw new SourceError(
      `${name} holds machine code for ${image.architecture}: it cannot be built for ${platformText(other)} on this machine`,
    );
  if (second) return await buildIndex(store, name, { ...image, base }, platforms);
  const architecture = first?.architecture ?? image.architecture ?? platformOf(process.arch).architecture;
  return await buildImage(store, name, { ...image, base, architecture });
}

/** A function's layers and how it is started, without making an image of them. Throws CompileError or SourceError. */
export async function packFunction(context: BuildContext, source: FunctionSource): Promise<Packed> {
  const language = languages.find((l) => l.name === source.language);
  if (!language) throw new Error(`no language is called "${source.language}"`);
  return await language.pack(source, context);
}
