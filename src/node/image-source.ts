/** What the node needs of the image store (src/images/store.ts fits). */
export interface ImageSource {
  /** Undefined when the store has no such image; throws when the reference is malformed. */
  resolve(reference: string): Promise<SourceImage | undefined>;
  /** Directory with the image's files; not to be written to. */
  unpack(digest: string): Promise<string>;
}

export interface SourceImage {
  readonly digest: string;
  readonly config: { readonly config?: RunConfig };
}

/** The run part of an OCI image config, as far as the node reads it. */
export interface RunConfig {
  readonly User?: string;
  readonly Env?: readonly string[];
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly WorkingDir?: string;
  readonly Labels?: Readonly<Record<string, string>>;
  readonly StopSignal?: string;
  /** Keys such as `8080/tcp`. */
  readonly ExposedPorts?: Readonly<Record<string, unknown>>;
}

/** An image with its files on disk. */
export interface UnpackedImage {
  readonly digest: string;
  readonly root: string;
  readonly config: RunConfig;
}

const maxKnown = 10_000;

/** Finds images and remembers those named by digest, which cannot change: a wake then costs no I/O. */
export function createImageFinder(source: ImageSource): (reference: string) => Promise<UnpackedImage | undefined> {
  const byReference = new Map<string, UnpackedImage>();
  return async (reference) => {
    const known = byReference.get(reference);
    if (known) return known;
    const image = await source.resolve(reference);
    if (!image) return undefined;
    const root = await source.unpack(image.digest);
    const found = { digest: image.digest, root, config: image.config.config ?? {} };
    if (reference.includes("@sha256:")) {
      if (byReference.size >= maxKnown) byReference.clear();
      byReference.set(reference, found);
    }
    return found;
  };
}
