import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { Found } from "../../build/language.ts";
import { SourceError } from "../../build/source.ts";
import { readProcfile } from "./procfile.ts";
import { readModule, type ModuleFacts } from "./read-module.ts";

/** Files that make a folder a Python project. */
export const declaringFiles = ["requirements.txt", "pyproject.toml", "Procfile", "setup.py", "Pipfile"];
/** Names of entry files; when several of them take requests, none is preferred. */
export const pythonEntries = [
  "app.py",
  "main.py",
  "func.py",
  "function.py",
  "handler.py",
  "server.py",
  "index.py",
  "asgi.py",
  "wsgi.py",
];

/** Looks for a Python function in a folder. Throws SourceError when there are two, or none where one is declared. */
export function detectPython(dir: string): Found | undefined {
  const declared = declaringFiles.filter((file) => existsSync(join(dir, file)));
  const evidence = declared.length > 0 ? { evidence: "declared" as const } : {};
  const first = fromLambda(dir) ?? fromProcfile(dir) ?? fromPackage(dir) ?? fromEntries(dir, declared);
  if (!first) return undefined;
  const reasons = declared.length > 0 ? [`found ${declared.join(", ")}`, ...first.reasons] : first.reasons;
  return { ...first, ...evidence, reasons };
}

/** What one file is, as far as its text tells. */
export function detectPythonFile(dir: string, entry: string): Found {
  const facts = entry.endsWith(".py") ? readModule(read(dir, entry), entry) : undefined;
  return facts ? fromFacts(entry, facts) : { entry, model: "server", reasons: [`${entry} is a Python program`] };
}

const read = (dir: string, file: string): string => readFileSync(join(dir, file), "utf8");

function fromFacts(entry: string, { model, target, signature, reason }: ModuleFacts): Found {
  return {
    entry,
    model,
    ...(target === undefined ? {} : { target }),
    ...(signature === undefined ? {} : { signature }),
    reasons: [`found ${entry}`, reason],
  };
}

function fromLambda(dir: string): Found | undefined {
  const entry = "lambda_function.py";
  return existsSync(join(dir, entry)) ? detectPythonFile(dir, entry) : undefined;
}

function fromProcfile(dir: string): Found | undefined {
  if (!existsSync(join(dir, "Procfile"))) return undefined;
  const found = readProcfile(read(dir, "Procfile"));
  if (!found) return undefined;
  const { reason, ...facts } = found;
  if (existsSync(join(dir, facts.entry))) return { ...facts, reasons: [reason] };
  const asPackage = facts.entry.replace(/\.py$/, "/__init__.py");
  if (existsSync(join(dir, asPackage))) return { ...facts, entry: asPackage, reasons: [reason] };
  throw new SourceError(`${reason}, but "${join(dir, facts.entry)}" does not exist`);
}

/** The layout of func's Python templates: a package `function`. */
function fromPackage(dir: string): Found | undefined {
  const entry = "function/__init__.py";
  if (!existsSync(join(dir, entry))) return undefined;
  const facts = readModule(read(dir, entry), entry);
  if (facts) return fromFacts(entry, facts);
  const inner = "function/func.py";
  return existsSync(join(dir, inner)) ? detectPythonFile(dir, inner) : undefined;
}

function fromEntries(dir: string, declared: readonly string[]): Found | undefined {
  const files = pythonEntries.filter((file) => existsSync(join(dir, file)));
  const found = files.flatMap((entry) => {
    const facts = readModule(read(dir, entry), entry);
    return facts ? [fromFacts(entry, facts)] : [];
  });
  const [one, another] = found;
  if (one && another) {
    // A program that only runs the application of another file is no second function.
    const apps = found.filter((f) => f.model !== "server");
    if (apps.length === 1) return apps[0];
    const list = found.map((f) => `${f.entry} (${f.reasons.at(-1)})`).join(" and ");
    throw new SourceError(
      `"${dir}" has several entries: ${list}; give the file itself: ebb deploy ${join(dir, one.entry)}`,
    );
  }
  if (one) return one;
  if (files[0] !== undefined && (declared.length > 0 || files[0] === "app.py" || files[0] === "main.py")) {
    const reason = "nothing in it takes requests by a known convention: it is run as a program that listens on PORT";
    return { entry: files[0], model: "server", reasons: [`found ${files[0]}`, reason] };
  }
  return onlyModule(dir, declared);
}

/** A declared Python project whose single module has a name of its own. */
function onlyModule(dir: string, declared: readonly string[]): Found | undefined {
  if (declared.length === 0) return undefined;
  const modules = readdirSync(dir).filter((file) => file.endsWith(".py") && file !== "setup.py");
  if (modules.length === 1 && modules[0] !== undefined) return detectPythonFile(dir, modules[0]);
  const names = pythonEntries.slice(0, 6).join(", ");
  const saw =
    modules.length === 0
      ? "there is no .py file"
      : `there are ${modules
          .slice(0, 8)
          .map((m) => basename(m))
          .join(", ")}`;
  throw new SourceError(`"${dir}" has ${declared[0]} but no entry: ${saw}; name it ${names}, or give the file itself`);
}
