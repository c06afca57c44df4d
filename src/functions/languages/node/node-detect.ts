import { existsSync } from "node:fs";
import { extname, join, posix } from "node:path";
import type { Found } from "../../build/language.ts";
import { SourceError, toServiceName } from "../../build/source.ts";
import { readManifest, type Manifest } from "./manifest.ts";

export const extensions = [".ts", ".mts", ".js", ".mjs", ".cjs", ".tsx", ".jsx"];
const entries = ["index", "src/index", "main", "src/main", "function", "handler", "app", "server"];

/** Entry and model of a folder: package.json "main", a usual file name, else a start script; undefined for none. */
export function detectNodeFolder(dir: string): Found | undefined {
  const manifest = readManifest(dir);
  const name = manifest?.name === undefined ? {} : { name: toServiceName(manifest.name) };
  const start = manifest?.scripts["start"];
  const started = start === undefined ? undefined : fromFramework(start);
  const found = fromMain(dir, manifest) ?? fromEntries(dir);
  if (found)
    return {
      ...name,
      ...found,
      ...started,
      reasons: [...found.reasons, ...(started ? [`it starts by "${start}"`] : [])],
    };
  if (start === undefined) return undefined;
  return {
    ...name,
    entry: "package.json",
    evidence: "declared",
    model: "server",
    reasons: [`package.json has no "main" and starts by "${start}"`],
  };
}

function fromMain(dir: string, manifest: Manifest | undefined): Found | undefined {
  const main = manifest?.main;
  if (main === undefined) return undefined;
  const file = resolveMain(dir, main);
  if (file !== undefined) return { evidence: "declared", entry: file, reasons: [`package.json "main" is ${main}`] };
  const source = sourceOf(dir, main);
  if (source !== undefined)
    return { evidence: "declared", entry: source, reasons: [`package.json "main" is ${main}, built from ${source}`] };
  throw new SourceError(`"main" of ${join(dir, "package.json")} names "${main}", which does not exist`);
}

/** As Node finds it: the file, with .js, or index.js of the folder. */
function resolveMain(dir: string, main: string): string | undefined {
  const base = posix.normalize(main);
  const tries = [base, `${base}.js`, `${base}.cjs`, posix.join(base, "index.js")];
  return tries.find((file) => extname(file) !== "" && existsSync(join(dir, file)));
}

/** What a compiled file that is not there yet is made from: `build/index.js` from `src/index.ts`. */
function sourceOf(dir: string, main: string): string | undefined {
  const [, name = ""] = /^(?:\.\/)?(?:build|dist|lib|out)\/(.+)\.[cm]?js$/.exec(main) ?? [];
  if (name === "") return undefined;
  const tries = ["src/", ""].flatMap((at) => [".ts", ".mts", ".tsx"].map((ending) => `${at}${name}${ending}`));
  return tries.find((file) => existsSync(join(dir, file)));
}

function fromEntries(dir: string): Found | undefined {
  for (const base of entries) {
    const files = extensions.map((extension) => base + extension).filter((file) => existsSync(join(dir, file)));
    const [entry, other] = files;
    if (entry === undefined) continue;
    if (other === undefined) return { entry, reasons: [`found ${entry}`] };
    throw new SourceError(
      `"${dir}" has two candidate entries, ${files.join(" and ")}: name one as "main" in package.json, or give the file itself`,
    );
  }
  return undefined;
}

/** Start scripts of frameworks whose functions ebb runs itself. */
function fromFramework(start: string): Pick<Found, "model" | "target" | "signature"> | undefined {
  if (/\bfaas-js-runtime\b/.test(start)) return { model: "knative" };
  if (!/\bfunctions-framework(?:-nodejs)?\b/.test(start)) return undefined;
  const target = /--target[= ](\S+)/.exec(start)?.[1];
  const type = /--signature-type[= ](\S+)/.exec(start)?.[1];
  const signature = (["http", "cloudevent", "typed", "event"] as const).find((s) => s === type);
  return {
    model: "functions-framework",
    ...(target === undefined ? {} : { target }),
    ...(signature === undefined ? {} : { signature }),
  };
}
