import { existsSync, statSync } from "node:fs";
import { basename, dirname, extname, join, relative, resolve, sep } from "node:path";
import { readFuncYaml, type FuncYaml } from "./func-yaml/func-yaml.ts";
import type { Evidence, Found, Language } from "./language.ts";
import { languages } from "./languages.ts";
import { SourceError, toServiceName, type FunctionSource, type LanguageName } from "./source.ts";

/** What a person has said of the function by flags; it wins over func.yaml, which wins over what other files say. */
export type Wanted = Partial<Pick<FunctionSource, "name" | "language" | "entry" | "model" | "target" | "signature">> & {
  /** The person's environment, for `{{ env:NAME }}` in func.yaml. */
  readonly env?: Readonly<Record<string, string | undefined>>;
};

/** One language's claim to a path. */
export interface Candidate {
  readonly language: LanguageName;
  readonly entry: string;
  readonly evidence: Evidence;
  readonly reasons: readonly string[];
  readonly chosen: boolean;
  /** Why it was chosen, or why not. */
  readonly verdict: string;
}

/** All claims to a path, for `ebb build --explain`. */
export interface Explanation {
  readonly candidates: readonly Candidate[];
  /** Absent when no candidate, or no single one, is the function; {@link error} then says why. */
  readonly source?: FunctionSource;
  readonly error?: SourceError;
  /** No language has found anything of its own: the folder may hold functions instead of being one. */
  readonly unclaimed?: true;
}

/** Looks at a file or folder and says which function it is. Throws {@link SourceError}. */
export async function detectSource(path: string, wanted: Wanted = {}): Promise<FunctionSource> {
  const { source, error } = await explainSource(path, wanted);
  if (source) return source;
  throw error ?? new SourceError(`no function at "${path}"`);
}

/** As {@link detectSource}, with every candidate and why it won or lost. Throws only when the path cannot be read. */
export async function explainSource(path: string, wanted: Wanted = {}): Promise<Explanation> {
  const full = resolve(path);
  if (!existsSync(full)) throw new SourceError(`nothing at "${path}": give a source file, or a folder with one`);
  try {
    if (statSync(full).isFile()) {
      const alone = only(fromFile(dirname(full), basename(full), wanted), wanted, "the file given");
      return alone.source ? { ...alone, source: { ...alone.source, scope: "file" } } : alone;
    }
    const yaml = await readFuncYaml(full, wanted.env ?? {});
    if (!yaml) return fromFolder(full, wanted);
    const said = Object.keys(yaml).filter((key) => key !== "warnings" && key !== "settings" && key !== "buildEnv");
    const reasons = said.length === 0 ? [] : [`func.yaml says ${said.join(", ")}`];
    const found = fromFolder(full, { ...yaml, ...wanted });
    return found.source ? { ...found, source: withYaml(found.source, yaml, reasons) } : found;
  } catch (error) {
    if (error instanceof SourceError) return { candidates: [], error };
    throw error;
  }
}

function withYaml(source: FunctionSource, yaml: FuncYaml, reasons: readonly string[]): FunctionSource {
  const { settings, buildEnv, warnings } = yaml;
  return {
    ...source,
    reasons: [...reasons, ...source.reasons],
    ...(settings ? { settings } : {}),
    ...(buildEnv ? { buildEnv } : {}),
    ...(warnings ? { warnings } : {}),
  };
}

interface Claim {
  readonly language: Language;
  readonly found: Found;
  readonly dir: string;
  readonly fallbackName: string;
}

function fromEntry(dir: string, entry: string, wanted: Wanted): Claim {
  const file = resolve(dir, entry);
  const inside = relative(dir, file);
  if (inside.startsWith(`..${sep}`) || !existsSync(file) || !statSync(file).isFile())
    throw new SourceError(`"${entry}" is not a file in "${dir}"`);
  return { ...fromFile(dir, inside, wanted), fallbackName: basename(dir) };
}

function fromFile(dir: string, entry: string, wanted: Wanted): Claim {
  const file = join(dir, entry);
  const extension = extname(entry);
  const claims = (language: Language): boolean =>
    language.extensions.includes(extension) || language.claimsFile?.(file) === true;
  const language = languages.find((l) => (wanted.language === undefined ? claims(l) : l.name === wanted.language));
  if (language)
    return { language, dir, fallbackName: basename(entry, extension), found: language.detectFile(dir, entry) };
  const known = languages.flatMap((l) => l.extensions).join(", ");
  throw new SourceError(`cannot run "${file}": known endings are ${known}`);
}

function only(claim: Claim, wanted: Wanted, verdict: string): Explanation {
  return { candidates: [toCandidate(claim, true, verdict)], source: toSource(claim, wanted) };
}

const strength: Readonly<Record<Evidence, number>> = { declared: 2, conventional: 1, fallback: 0 };
const evidenceOf = ({ found }: Claim): Evidence => found.evidence ?? "conventional";

function fromFolder(dir: string, wanted: Wanted): Explanation {
  if (wanted.entry !== undefined) return only(fromEntry(dir, wanted.entry, wanted), wanted, "the entry given");
  const asked = languages.filter((l) => wanted.language === undefined || l.name === wanted.language);
  const claims = asked.flatMap((language): readonly Claim[] => {
    const found = language.detectFolder(dir);
    return found ? [{ language, dir, found, fallbackName: basename(dir) }] : [];
  });
  const best = Math.max(...claims.map((c) => strength[evidenceOf(c)]));
  const [chosen, rival] = claims.filter((c) => strength[evidenceOf(c)] === best);
  if (!chosen) {
    const lookedFor = asked.map((l) => l.looksFor).join("; ");
    const what = wanted.language === undefined ? "function" : `${wanted.language} function`;
    const error = new SourceError(`no ${what} in "${dir}": looked for ${lookedFor}`);
    return { candidates: [], error, unclaimed: true };
  }
  if (rival)
    return { candidates: claims.map((c) => toCandidate(c, false, "as likely as another")), error: two(dir, claims) };
  const why = claims.length > 1 ? `${evidenceOf(chosen)}, the others less surely` : "the only candidate";
  return {
    candidates: claims.map((c) => toCandidate(c, c === chosen, c === chosen ? why : `only ${evidenceOf(c)}`)),
    source: toSource(chosen, wanted),
  };
}

function two(dir: string, claims: readonly Claim[]): SourceError {
  const list = claims.map((c) => `${c.found.entry} (${c.language.name}: ${c.found.reasons.join(", ")})`).join(" and ");
  return new SourceError(
    `"${dir}" could be several functions: ${list}; give the file itself, or write "runtime: ${claims[0]?.language.name}" into a func.yaml`,
  );
}

function toCandidate(claim: Claim, chosen: boolean, verdict: string): Candidate {
  const { entry, reasons } = claim.found;
  return { language: claim.language.name, entry, evidence: evidenceOf(claim), reasons, chosen, verdict };
}

function toSource({ language, dir, found, fallbackName }: Claim, wanted: Wanted): FunctionSource {
  const { evidence: _, ...facts } = found;
  const name = wanted.name ?? found.name ?? toServiceName(fallbackName);
  const { model, target, signature } = wanted;
  return {
    ...facts,
    language: language.name,
    dir,
    name,
    ...(model === undefined ? {} : { model }),
    ...(target === undefined ? {} : { target }),
    ...(signature === undefined ? {} : { signature }),
  };
}
