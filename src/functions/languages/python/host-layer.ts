import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { LayerFile } from "../../../images/layer.ts";
import { pythonHostPath } from "../../hosts/host-command.ts";
import { pythonHostDir, pythonHostFiles } from "../../hosts/python-program.ts";

/** The host itself, so that the image runs wherever there is a python3. */
export async function hostLayer(): Promise<readonly LayerFile[]> {
  const dir = pythonHostDir();
  return await Promise.all(
    pythonHostFiles().map(async (file) => ({
      path: `${pythonHostPath.slice(1)}/${file}`,
      content: await readFile(join(dir, file)),
    })),
  );
}
