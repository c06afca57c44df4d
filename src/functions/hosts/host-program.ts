import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { join } from "node:path";

/**
 * Path of a host program that plain Node runs without stripping types, which would cost each start 50 ms: the built
 * one when there is one beside this file (dist), else the sources, stripped once into `cacheDir` under a name made
 * from their contents.
 */
export function hostProgram(name: "node", cacheDir: string): string {
  const built = join(import.meta.dirname, "hosts", `${name}.mjs`);
  if (existsSync(built)) return built;
  const from = join(import.meta.dirname, name);
  const sources = readdirSync(from)
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
    .map((file) => ({ file, text: readFileSync(join(from, file), "utf8") }));
  const hash = createHash("sha256");
  for (const { file, text } of sources) hash.update(file).update("\0").update(text).update("\0");
  const into = join(cacheDir, `host-${name}-${process.version}-${hash.digest("hex").slice(0, 16)}`);
  const main = join(into, "main.mjs");
  if (existsSync(main)) return main;
  // Written aside and renamed, so that a crash or a second writer never leaves half a program behind.
  const aside = `${into}.${process.pid}`;
  mkdirSync(aside, { recursive: true });
  for (const { file, text } of sources) writeFileSync(join(aside, file.replace(/\.ts$/, ".mjs")), toScript(text));
  try {
    renameSync(aside, into);
  } catch (error) {
    rmSync(aside, { recursive: true, force: true });
    if (!existsSync(main)) throw error;
  }
  return main;
}

const toScript = (source: string): string =>
  stripTypeScriptTypes(source, { mode: "strip" }).replace(/(from\s+"\.[^"]*)\.ts"/g, '$1.mjs"');
