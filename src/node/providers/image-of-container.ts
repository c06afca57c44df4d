import type { Container } from "../../api/core/types.gen.ts";
import { localRegistries, parseImageReference } from "../../images/reference.ts";
import type { ImageSource, PullSecrets, SourceImage } from "../image-source.ts";
import { ContainerStartError, type TellPod } from "../runtime.ts";

type Find<T> = (reference: string) => Promise<T | undefined>;

/** Makes a finder throw what a pod's status says of images that are malformed, unreadable or not there. */
export function strictly<T>(find: Find<T>): (reference: string) => Promise<T> {
  return async (reference) => {
    let image: T | undefined;
    try {
      image = await find(reference);
    } catch (error) {
      throw unreadable(reference, error);
    }
    if (image) return image;
    throw new ContainerStartError(
      "ErrImagePull",
      `image "${reference}" is not in the local store: build it with "ebb deploy", or fetch it with "ebb image pull"`,
    );
  };
}

function unreadable(reference: string, error: unknown): ContainerStartError {
  if (error instanceof Error && error.message.startsWith("not an image reference"))
    return new ContainerStartError("InvalidImageName", `couldn't parse image name "${reference}"`, { cause: error });
  const why = error instanceof Error ? error.message : String(error);
  return new ContainerStartError("ErrImagePull", `image "${reference}" could not be read: ${why}`, { cause: error });
}

/** Fetching an image takes no longer than this. */
const pullWithinMs = 15 * 60_000;

/**
 * Brings a container's image here as its pull policy says (pkg/kubelet/images/image_manager.go).
 */
export function createImageFetcher(
  images: ImageSource,
): (container: Container, tell: TellPod, as: PullSecrets) => Promise<{ readonly config: SourceImageConfig }> {
  const resolve = (reference: string): Promise<SourceImage | undefined> => images.resolve(reference);

  async function fetch(container: Container, tell: TellPod, as: PullSecrets): Promise<void> {
    const { image: reference = "", name } = container;
    const pull = images.pull;
    if (!pull) return;
    tell("Pulling", `Pulling image "${reference}"`, name);
    const startedMs = performance.now();
    try {
      await pull.call(images, reference, { signal: AbortSignal.timeout(pullWithinMs), as });
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new ContainerStartError("ErrImagePull", `Failed to pull image "${reference}": ${why}`, { cause: error });
    }
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(3);
    tell("Pulled", `Successfully pulled image "${reference}" in ${seconds}s`, name);
  }

  return async (container, tell, as) => {
    const { image: reference = "", imagePullPolicy } = container;
    let found: SourceImage | undefined;
    try {
      found = await resolve(reference);
    } catch (error) {
      throw unreadable(reference, error);
    }
    const local = found !== undefined && isLocal(reference);
    if (!local && mustPull(imagePullPolicy, found !== undefined)) {
      if (imagePullPolicy === "Never")
        throw new ContainerStartError(
          "ErrImageNeverPull",
          `Container image "${reference}" is not present with pull policy of Never`,
        );
      await fetch(container, tell, as);
    }
    const { config } = await strictly(resolve)(reference);
    return { config: config.config ?? {} };
  };
}

type SourceImageConfig = NonNullable<SourceImage["config"]["config"]>;

const mustPull = (policy: string | undefined, here: boolean): boolean => !here || policy === "Always";

const isLocal = (reference: string): boolean => localRegistries.has(parseImageReference(reference)?.registry ?? "");
