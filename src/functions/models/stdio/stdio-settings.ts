import { LoadError } from "../../hosts/node/load-error.ts";
import { checkExecutable, type ProgramWords } from "../program.ts";

/**
 * `serializing`: the answer is sent when the program has ended well. `streaming`: as it comes. `classic`: as serializing,
 * with standard error in the answer. `http`: the program stays and speaks HTTP over its standard input and output.
 */
export type StdioMode = "serializing" | "streaming" | "classic" | "http";

export interface StdioSettings extends ProgramWords {
  readonly mode: StdioMode;
  /** 0: none. */
  readonly timeoutMs: number;
  /** 0: no limit; beyond it 429. */
  readonly maxInflight: number;
  readonly contentType: string | undefined;
  /** Whether lines of the program get a time and `stderr:` before them. */
  readonly prefixLogs: boolean;
}

const modes: Readonly<Record<string, StdioMode>> = {
  serializing: "serializing",
  streaming: "streaming",
  classic: "classic",
  http: "http",
  afterburn: "http",
};

/** The watchdog's variables (openfaas.md §2): fprocess, mode, exec_timeout, max_inflight, content_type, prefix_logs. */
export function readStdioSettings(entry: string, env: Readonly<Record<string, string>>): StdioSettings {
  const words = env["fprocess"] ?? env["function_process"];
  const [file, ...args] = (words ?? "").split(" ").filter((word) => word !== "");
  const mode = modes[env["mode"] ?? "serializing"];
  if (mode === undefined)
    throw new LoadError("InitFailed", `mode is "${env["mode"]}": use ${Object.keys(modes).join(", ")}`);
  const inflight = Number(env["max_inflight"] ?? 0);
  if (!Number.isInteger(inflight) || inflight < 0)
    throw new LoadError(
      "InitFailed",
      `max_inflight is "${env["max_inflight"]}": it must be a whole number, 0 for no limit`,
    );
  return {
    ...(file === undefined ? checkExecutable(entry) : { file, args }),
    mode,
    timeoutMs: toMs("exec_timeout", env["exec_timeout"] ?? "0"),
    maxInflight: inflight,
    contentType: env["content_type"],
    prefixLogs: env["prefix_logs"] === "true",
  };
}

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** A Go duration (`1m30s`, `500ms`), or a number of seconds. */
export function toMs(name: string, text: string): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text))
    throw new LoadError("InitFailed", `${name} is "${text}": write a duration such as 30s or 1m30s`);
  let ms = 0;
  for (const [, count, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g))
    ms += Number(count) * (units[unit ?? ""] ?? 0);
  return ms;
}
