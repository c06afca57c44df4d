import { existsSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { folderFiles } from "../../build/folder-files.ts";
import type { Found, Language, Packed } from "../../build/language.ts";
import { readHead } from "../../build/read-head.ts";
import { programImage } from "../../build/program-image.ts";
import { SourceError, type FunctionSource } from "../../build/source.ts";

const entries = ["handler.sh", "function.sh", "main.sh", "index.sh", "run.sh"];

/** Scripts with a `#!` line: one request on standard input, the answer on standard output, unless they serve PORT. */
export const shellLanguage: Language = {
  name: "shell",
  extensions: [".sh", ".bash"],
  looksFor: `${entries.join(", ")}, or a script called bootstrap`,
  detectFolder(dir) {
    if (existsSync(join(dir, "bootstrap")) && interpreterOf(join(dir, "bootstrap")) !== undefined)
      return {
        entry: "bootstrap",
        evidence: "declared",
        model: "lambda-runtime",
        reasons: ["bootstrap is a script"],
      };
    const entry = entries.find((file) => existsSync(join(dir, file)));
    return entry === undefined ? undefined : toFound(dir, entry);
  },
  detectFile: toFound,
  claimsFile: (file) => interpreterOf(file) !== undefined,
  pack,
};

function toFound(dir: string, entry: string): Found {
  const interpreter = interpreterOf(join(dir, entry));
  if (interpreter === undefined)
    throw new SourceError(`"${join(dir, entry)}" does not say what runs it: begin it with a line such as #!/bin/sh`);
  const serves = /\$(?:PORT\b|\{PORT\b)/.test(readFileSync(join(dir, entry), "utf8"));
  return serves
    ? { entry, model: "server", reasons: [`${entry} is run by ${interpreter}`, "it uses $PORT"] }
    : { entry, model: "stdio", reasons: [`${entry} is run by ${interpreter}`, "it does not use $PORT"] };
}

/** What stands behind `#!` in the first line. */
function interpreterOf(file: string): string | undefined {
  const [line = ""] = readHead(file, 256).toString("utf8").split("\n");
  return line.startsWith("#!") ? line.slice(2).trim() : undefined;
}

async function pack(source: FunctionSource): Promise<Packed> {
  const path = `app/${source.entry}`;
  const script = { path, content: await readFile(join(source.dir, source.entry)), mode: 0o755 };
  const own = source.scope === "file" ? [] : (await folderFiles(source.dir)).filter((file) => file.path !== path);
  const image = programImage(source, { path: `/${path}`, files: [...own, script] });
  const [interpreter = ""] = interpreterOf(join(source.dir, source.entry))?.split(/\s+/) ?? [];
  const missing = interpreter.startsWith("/") && !existsSync(interpreter);
  return {
    ...image,
    warnings: missing ? [`${source.entry} is run by ${interpreter}, which this machine does not have`] : [],
  };
}
