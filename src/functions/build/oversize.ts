import { statSync } from "node:fs";
import type { LayerSource } from "../../images/build-image.ts";
import type { LayerFile } from "../../images/layer.ts";

/** Above this a function's own files make its deployment and first wake slow enough to ask whether all are meant. */
const limit = 100 * 1024 ** 2;

/** A warning for files that together weigh too much, with the heaviest of them; dependency layers do not count. */
export function oversizeWarnings(layers: readonly LayerSource[]): readonly string[] {
  const files = layers.flatMap((layer) => (layer.kind === "files" ? layer.files : []));
  const sized = files.map((file) => ({ path: file.path, size: sizeOf(file) }));
  const total = sized.reduce((sum, file) => sum + file.size, 0);
  if (total <= limit) return [];
  const heaviest = sized
    .sort((a, b) => b.size - a.size)
    .slice(0, 3)
    .map(({ path, size }) => `${path} ${megabytes(size)}`);
  return [
    `the function's own files weigh ${megabytes(total)}, most of it ${heaviest.join(", ")}: list what it does not need in .funcignore`,
  ];
}

const megabytes = (size: number): string => `${(size / 1024 ** 2).toFixed(1)} MB`;

function sizeOf({ content, file, link }: LayerFile): number {
  if (link !== undefined) return 0;
  return file === undefined ? Buffer.byteLength(content) : statSync(file).size;
}
