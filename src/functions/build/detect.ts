import { existsSync, statSync } from "node:fs";
import { basename, dirname, extname, resolve } from "node:path";
import type { Found, Language } from "./language.ts";
import { languages } from "./languages.ts";
import { SourceError, toServiceName, type FunctionSource } from "./source.ts";

/** Looks at a file or folder and says which function it is. Throws {@link SourceError}. */
export function detectSource(path: string): FunctionSource {
  const full = resolve(path);
  if (!existsSync(full)) throw new SourceError(`nothing at "${path}": give a source file, or a folder with one`);
  return statSync(full).isFile() ? fromFile(full) : fromFolder(full);
}

function fromFile(file: string): FunctionSource {
  const extension = extname(file);
  const dir = dirname(file);
  const entry = basename(file);
  for (const language of languages)
    if (language.extensions.includes(extension))
      return toSource(language, dir, basename(file, extension), language.detectFile(dir, entry));
  const known = languages.flatMap((l) => l.extensions).join(", ");
  throw new SourceError(`cannot run "${file}": known endings are ${known}`);
}

function fromFolder(dir: string): FunctionSource {
  for (const language of languages) {
    const found = language.detectFolder(dir);
    if (found) return toSource(language, dir, basename(dir), found);
  }
  throw new SourceError(`no function in "${dir}": looked for ${languages.map((l) => l.looksFor).join("; ")}`);
}

function toSource(language: Language, dir: string, fallbackName: string, found: Found): FunctionSource {
  return { ...found, language: language.name, dir, name: found.name ?? toServiceName(fallbackName) };
}
