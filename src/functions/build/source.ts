import type { FunctionModel } from "../hosts/protocol.ts";
import type { SourceSettings } from "./source-settings.ts";

export const languageNames = ["node", "python", "go", "rust", "java", "binary", "shell", "static"] as const;
export type LanguageName = (typeof languageNames)[number];

/** What was found at the path a person gave to `ebb deploy`. */
export interface FunctionSource {
  readonly language: LanguageName;
  /** Directory that holds the function. */
  readonly dir: string;
  /** The entry file, relative to `dir`. */
  readonly entry: string;
  /** `file`: only the entry was given, so other files of `dir` need not belong to the function. Absent: `folder`. */
  readonly scope?: "file" | "folder";
  /** A name fit for a Service, from the folder or file. */
  readonly name: string;
  /** How it takes requests, when files or settings tell; else it is found at the build or asked of its exports. */
  readonly model?: FunctionModel;
  /** Which export, class or registered name takes requests, when the model needs one: `index.handler`, `helloHttp`. */
  readonly target?: string;
  /** What the model's functions receive. */
  readonly signature?: "http" | "cloudevent" | "typed" | "event";
  /** Why it was taken for what it is, one line each. */
  readonly reasons: readonly string[];
  /** Environment of the tools that build it, from func.yaml `build.buildEnvs`. */
  readonly buildEnv?: Readonly<Record<string, string>>;
  /** What func.yaml says of the Service. */
  readonly settings?: SourceSettings;
  /** What func.yaml says that ebb does not do, one sentence each with the place. */
  readonly warnings?: readonly string[];
}

/** The path holds nothing that can be run; the message says what was looked for. */
export class SourceError extends Error {
  override readonly name = "SourceError";
}

/** The source does not compile; the message has one `file:line:column: text` paragraph per error. */
export class CompileError extends Error {
  override readonly name = "CompileError";
}

/** Makes a DNS label of a file or package name: `My_Func@2` → `my-func-2`. */
export function toServiceName(text: string): string {
  const label = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replace(/^[^a-z]+/, "")
    .slice(0, 50)
    .replace(/-+$/, "");
  return label === "" ? "function" : label;
}
