import { readFile } from "node:fs/promises";
import { resolve } from "node:path";

/** The kubeconfig cannot be used; the message names the file and what is wrong in it. */
export class KubeconfigError extends Error {
  override readonly name = "KubeconfigError";
}

/** A value that a kubeconfig holds itself, in base64, or in a file whose path is relative to it. */
export async function textOf(
  dir: string,
  base64: string | undefined,
  path: string | undefined,
): Promise<string | undefined> {
  if (base64 !== undefined && base64 !== "") return Buffer.from(base64, "base64").toString("utf8");
  if (path === undefined || path === "") return undefined;
  const file = resolve(dir, path);
  return readFile(file, "utf8").catch((error: unknown) => {
    throw new KubeconfigError(`cannot read ${file}: ${error instanceof Error ? error.message : error}`, {
      cause: error,
    });
  });
}
