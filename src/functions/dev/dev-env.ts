import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { SourceError } from "../build/source.ts";

/** In the order in which later ones win. */
export const envFiles = [".env", ".env.local", ".dev.vars"] as const;

/** Variables of the files in a folder that hold some. Throws {@link SourceError} when one cannot be read. */
export function readEnvFiles(dir: string): Readonly<Record<string, string>> {
  const all: Record<string, string> = {};
  for (const name of envFiles) {
    const file = join(dir, name);
    try {
      Object.assign(all, parseEnv(readFileSync(file, "utf8")));
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === "ENOENT") continue;
      throw new SourceError(`cannot read "${file}": ${message}`, { cause: error });
    }
  }
  return all;
}

/** Of the developer's own environment, what a program needs to run at all; the rest stays outside, as when deployed. */
const inherited = /^(PATH|HOME|USER|LANG|LANGUAGE|LC_.*|TZ|TMPDIR|SSL_CERT_FILE|NODE_EXTRA_CA_CERTS)$/;

export function baseEnv(own: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string>> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(own)) if (value !== undefined && inherited.test(name)) kept[name] = value;
  return kept;
}
