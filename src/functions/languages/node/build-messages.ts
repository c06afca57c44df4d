import type { BuildFailure, Message } from "esbuild";

/** Says what to do about an import that is not found. */
export type Advice = (specifier: string) => string | undefined;

export function isBuildFailure(error: unknown): error is BuildFailure {
  return typeof error === "object" && error !== null && Array.isArray((error as { errors?: unknown }).errors);
}

/** `src/a.ts:3:7: Expected ";"` with the line and a mark under it. */
export function formatMessage(message: Message, advice?: Advice): string {
  const specifier = /^Could not resolve "([^"]+)"/.exec(message.text)?.[1];
  const what = specifier === undefined ? undefined : advice?.(specifier);
  const text = what === undefined ? message.text : `${message.text}: ${what}`;
  const at = message.location;
  if (!at) return text;
  const mark = `${" ".repeat(at.column)}${"~".repeat(Math.max(1, at.length))}`;
  return `${at.file}:${at.line}:${at.column + 1}: ${text}\n    ${at.lineText}\n    ${mark}`;
}
