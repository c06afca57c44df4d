/** What the node needs of the image store (src/images/store.ts fits). */
export interface ImageSource {
  /** Undefined when the store has no such image; throws when the reference is malformed. */
  resolve(reference: string): Promise<SourceImage | undefined>;
  /** Directory with the image's files; not to be written to. */
  unpack(digest: string): Promise<string>;
  /** The same, with every file as its owner and mode in the image: the root of a container. */
  rootfs?(digest: string): Promise<string>;
  /**
   * Fetches an image from its registry into the store, or sees that what is there is the newest. Several who want one
   * image at a time wait for one fetch.
   */
  pull?(reference: string, options: { readonly signal: AbortSignal; readonly as: PullSecrets }): Promise<void>;
}

/** Secrets with logins to registries that a pod names, or its service account does. */
export interface PullSecrets {
  readonly namespace: string;
  readonly names: readonly string[];
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

/** Like {@link createImageFinder}, with roots for containers. */
export function createRootfsFinder(source: ImageSource): (reference: string) => Promise<UnpackedImage | undefined> {
  const { rootfs } = source;
  return createImageFinder(
    rootfs ? { resolve: (r) => source.resolve(r), unpack: (d) => rootfs.call(source, d) } : source,
  );
}

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
