import { pipeline } from "node:stream/promises";
import { text } from "node:stream/consumers";
import { extract, type Header } from "tar-stream";
import { openLayer } from "../open-layer.ts";
import { packageOf, type Package } from "./package.ts";

const pythonPackage = /(?:^|\/)([^/]+)-([^/-]+)\.dist-info\/METADATA$/;
const nodePackage = /(?:^|\/)node_modules\/(?:@[^/]+\/)?[^/@][^/]*\/package\.json$/;

/** What is installed in a layer, as its package managers have left it: Python's dist-info, Node's package.json. */
export async function layerPackages(file: string): Promise<readonly Package[]> {
  const { tar } = await openLayer(file, { maxBytes: 64 * 2 ** 30, what: "a layer" });
  const entries = extract();
  const feeding = pipeline(tar, entries);
  feeding.catch(() => undefined);
  const found: Package[] = [];
  for await (const entry of entries) {
    const { header } = entry as unknown as { readonly header: Header };
    const [, name, version] = pythonPackage.exec(header.name) ?? [];
    if (name !== undefined && version !== undefined) found.push(packageOf("pypi", name, version));
    else if (nodePackage.test(header.name) && (header.size ?? 0) < 1 << 20)
      found.push(...nodePackageIn(await text(entry as unknown as AsyncIterable<Uint8Array>)));
    entry.resume();
  }
  await feeding;
  return found;
}

/** The package of a package.json; none where it names none, as those of parts of packages do. */
export function nodePackageIn(json: string): readonly Package[] {
  try {
    const { name, version } = JSON.parse(json) as { readonly name?: unknown; readonly version?: unknown };
    return typeof name === "string" && typeof version === "string" ? [packageOf("npm", name, version)] : [];
  } catch (error) {
    if (error instanceof SyntaxError) return [];
    throw error;
  }
}
