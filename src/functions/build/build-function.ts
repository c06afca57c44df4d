import { buildImage } from "../../images/build-image.ts";
import type { BuildContext, Packed } from "./language.ts";
import { languages } from "./languages.ts";
import type { FunctionSource } from "./source.ts";

export interface BuiltFunction {
  /** Pinned by digest: `dev.local/<namespace>/<name>@sha256:…`. */
  readonly image: string;
  readonly digest: string;
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
): Promise<BuiltFunction> {
  const { layers, config, warnings, architecture } = await packFunction(context, source);
  const name = `dev.local/${namespace}/${source.name}`;
  const digest = await buildImage(context.store, name, {
    layers,
    // Every function listens on PORT, 8080 where nothing says otherwise.
    config: { ExposedPorts: { "8080/tcp": {} }, ...config },
    ...(architecture === undefined ? {} : { architecture }),
  });
  return { image: `${name}@${digest}`, digest, warnings: [...(source.warnings ?? []), ...warnings] };
}

/** A function's layers and how it is started, without making an image of them. Throws CompileError or SourceError. */
export async function packFunction(context: BuildContext, source: FunctionSource): Promise<Packed> {
  const language = languages.find((l) => l.name === source.language);
  if (!language) throw new Error(`no language is called "${source.language}"`);
  return await language.pack(source, context);
}
