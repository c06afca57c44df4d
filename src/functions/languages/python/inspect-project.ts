import { join } from "node:path";
import type { BuildContext } from "../../build/language.ts";
import { runTool } from "../../build/run-tool.ts";
import { CompileError, SourceError } from "../../build/source.ts";
import type { Python } from "../../hosts/find-python.ts";

/** What inspect_project.py writes. */
export interface ProjectFacts {
  /** Python files of the project, relative to its folder. */
  readonly files: readonly string[];
  /** `file:line:column: SyntaxError: …` each. */
  readonly errors: readonly string[];
  /** Imports that neither the standard library, the project nor an installed module provides. */
  readonly missing: readonly { readonly place: string; readonly module: string }[];
  /** Of pyproject.toml. */
  readonly dependencies?: readonly string[];
  readonly dynamic?: readonly string[];
  readonly problem?: string;
}

const script = join(import.meta.dirname, "inspect_project.py");

/** What is looked at: a folder, or one file of it with what it imports. */
export interface Project {
  readonly dir: string;
  readonly alone?: string;
}

/**
 * Reads the project with the Python that will run it. Throws CompileError for syntax errors, and for imports missing
 * when `installed`, the names that dependencies provide, are given; SourceError for what pyproject.toml asks in vain.
 */
export async function inspectProject(
  context: Pick<BuildContext, "env" | "signal">,
  python: Python,
  { dir, alone }: Project,
  installed?: readonly string[],
): Promise<ProjectFacts> {
  const { stdout } = await runTool(context, {
    tool: python.path,
    args: ["-I", script, JSON.stringify({ folder: dir, alone, installed })],
    cwd: dir,
    remedy: "install python3",
  });
  const facts = JSON.parse(stdout) as ProjectFacts;
  if (facts.problem !== undefined) throw new SourceError(facts.problem);
  if (facts.errors.length > 0) throw new CompileError(facts.errors.join("\n"));
  const [first] = facts.missing;
  if (first) {
    const list = facts.missing
      .map(
        ({ place, module }) => `${place}: imports "${module}", which is neither in the standard library nor installed`,
      )
      .join("\n");
    throw new CompileError(`${list}\nadd "${first.module}" (by the name of its package) to requirements.txt`);
  }
  return facts;
}
