import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { LayerFile } from "../../../images/layer.ts";
import { pythonHostDir, pythonHostFiles } from "../../hosts/python-program.ts";

/** Where the Python host lies in an image. */
export const hostPath = "/ebb/host/python";

/** The host itself, so that the image runs wherever there is a python3. */
export async function hostLayer(): Promise<readonly LayerFile[]> {
  const dir = pythonHostDir();
  return await Promise.all(
    pythonHostFiles().map(async (file) => ({
      path: `${hostPath.slice(1)}/${file}`,
      content: await readFile(join(dir, file)),
    })),
  );
}
