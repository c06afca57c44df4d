import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { SourceError, toServiceName } from "../build/source.ts";

/** A function to begin with: one folder `templates/<language>/<model>`. */
export interface Template {
  readonly language: string;
  readonly model: string;
  readonly summary: string;
  /** Runs the test that comes with it, in its folder. */
  readonly test: readonly string[];
}

const templatesDir = join(import.meta.dirname, "../../../templates");

/** The language's own way first; it is what is made when no model is named. */
const firstModels: Readonly<Record<string, string>> = { typescript: "fetch", javascript: "fetch", python: "asgi" };

/** Every template, by language; the first of a language is its default. */
export function listTemplates(): readonly Template[] {
  return readdirSync(templatesDir)
    .sort(byDefault("typescript"))
    .flatMap((language) =>
      readdirSync(join(templatesDir, language))
        .sort(byDefault(firstModels[language] ?? "server"))
        .map((model): Template => {
          const about = readFileSync(join(templatesDir, language, model, "template.json"), "utf8");
          return { language, model, ...(JSON.parse(about) as Pick<Template, "summary" | "test">) };
        }),
    );
}

const byDefault =
  (first: string) =>
  (a: string, b: string): number =>
    Number(b === first) - Number(a === first) || a.localeCompare(b);

export interface NewFunction {
  /** Where it goes; made if need be. Its last part is the function's name unless {@link name} is given. */
  readonly dir: string;
  readonly name: string;
  readonly language: string;
  /** The language's default when absent. */
  readonly model?: string;
  /** Written into func.yaml. */
  readonly now: Date;
}

/** Writes a new function and returns its files. Throws {@link SourceError}; nothing is written then. */
export function writeNewFunction(wanted: NewFunction): {
  readonly template: Template;
  readonly files: readonly string[];
} {
  const template = findTemplate(wanted.language, wanted.model);
  if (toServiceName(wanted.name) !== wanted.name)
    throw new SourceError(
      `"${wanted.name}" is no name for a function: use lower-case letters, digits and "-", as in "${toServiceName(wanted.name)}"`,
    );
  refuseFull(wanted.dir);
  const from = join(templatesDir, template.language, template.model);
  const files: string[] = [];
  for (const name of readdirSync(from, { recursive: true, encoding: "utf8" }).sort()) {
    const file = join(from, name);
    if (!statSync(file).isFile() || name === "template.json") continue;
    const text = readFileSync(file, "utf8")
      .replaceAll("{{name}}", wanted.name)
      .replaceAll("{{created}}", `${wanted.now.toISOString().slice(0, 19)}Z`);
    // Packages lose files of that name on their way through npm.
    const into = name === "gitignore" ? ".gitignore" : name;
    mkdirSync(dirname(join(wanted.dir, into)), { recursive: true });
    writeFileSync(join(wanted.dir, into), text, { mode: statSync(file).mode & 0o777, flag: "wx" });
    files.push(into);
  }
  return { template, files };
}

function findTemplate(language: string, model: string | undefined): Template {
  const all = listTemplates();
  const ofLanguage = all.filter((t) => t.language === language);
  const found = ofLanguage.find((t) => model === undefined || t.model === model);
  if (found) return found;
  if (ofLanguage.length === 0)
    throw new SourceError(
      `no template for language "${language}": there is one for ${[...new Set(all.map((t) => t.language))].join(", ")}`,
    );
  throw new SourceError(
    `no ${language} template for model "${model}": there is one for ${ofLanguage.map((t) => t.model).join(", ")}`,
  );
}

function refuseFull(dir: string): void {
  if (!existsSync(dir)) return;
  if (!statSync(dir).isDirectory()) throw new SourceError(`"${dir}" is a file: give another name`);
  const there = readdirSync(dir).filter((name) => name !== ".git");
  if (there.length > 0)
    throw new SourceError(
      `"${dir}" is not empty (${there.slice(0, 3).join(", ")}): give another name, nothing was written`,
    );
}
