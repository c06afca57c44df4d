import type { LogFields, Logger, LogLevel } from "./logger.ts";

const severity: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

export interface LineLoggerOptions {
  readonly level: LogLevel;
  /** One JSON object per line instead of text for people. */
  readonly json: boolean;
  readonly write: (line: string) => void;
  readonly now: () => number;
}

/** A logger that writes one line per message. Fields of `with` come first, an `err` field is shown by its message and stack. */
export function createLineLogger(options: LineLoggerOptions, bound: LogFields = {}): Logger {
  const log = (level: LogLevel, message: string, fields: LogFields = {}): void => {
    if (severity[level] < severity[options.level]) return;
    const all = { ...bound, ...fields };
    const time = new Date(options.now()).toISOString();
    options.write(options.json ? jsonLine(time, level, message, all) : textLine(time, level, message, all));
  };
  return {
    debug: (message, fields) => log("debug", message, fields),
    info: (message, fields) => log("info", message, fields),
    warn: (message, fields) => log("warn", message, fields),
    error: (message, fields) => log("error", message, fields),
    with: (fields) => createLineLogger(options, { ...bound, ...fields }),
    enabled: (level) => severity[level] >= severity[options.level],
  };
}

function jsonLine(time: string, level: LogLevel, message: string, fields: LogFields): string {
  const plain = Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, plainValue(value)]));
  return JSON.stringify({ time, level, message, ...plain });
}

function textLine(time: string, level: LogLevel, message: string, fields: LogFields): string {
  const parts = Object.entries(fields).map(([key, value]) => `${key}=${textValue(value)}`);
  return [time.slice(11, 23), level.toUpperCase().padEnd(5), message, ...parts].join(" ");
}

function plainValue(value: unknown): unknown {
  return value instanceof Error ? (value.stack ?? value.message) : value;
}

function textValue(value: unknown): string {
  if (value instanceof Error) return causes(value);
  return typeof value === "string" ? (/[\s"=]/.test(value) ? JSON.stringify(value) : value) : JSON.stringify(value);
}

function causes(error: Error): string {
  const own = JSON.stringify(error.message);
  return error.cause instanceof Error ? `${own} cause=${causes(error.cause)}` : own;
}
