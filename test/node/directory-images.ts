import type { ImageSource, RunConfig } from "../../src/node/image-source.ts";

/** An image store whose images are directories given by the test. */
export function directoryImages(
  images: Readonly<Record<string, { readonly root: string; readonly config: RunConfig }>>,
): ImageSource {
  return {
    resolve: (reference) =>
      Promise.resolve(images[reference] && { digest: reference, config: { config: images[reference].config } }),
    unpack(digest) {
      const image = images[digest];
      return image ? Promise.resolve(image.root) : Promise.reject(new Error(`no image ${digest}`));
    },
  };
}
