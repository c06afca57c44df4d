/** pino's levels and their numbers, which is what Knative functions log with. */
export const logLevels = { trace: 10, debug: 20, info: 30, warn: 40, error: 50, fatal: 60, silent: Infinity } as const;
export type LogLevel = keyof typeof logLevels;

type LogMethod = (first: unknown, ...rest: readonly unknown[]) => void;

export type FunctionLog = Readonly<Record<Exclude<LogLevel, "silent">, LogMethod>> & {
  readonly level: LogLevel;
  child(fields: Readonly<Record<string, unknown>>): FunctionLog;
};

export const isLogLevel = (value: unknown): value is LogLevel =>
  typeof value === "string" && Object.hasOwn(logLevels, value);

const nothing = (): void => undefined;

/**
 * One JSON object per line: level, time (ms), the fields, `msg`. Called as pino is: `(message, …values)` with %s, %d, %j,
 * %o, or `(fields | error, message, …)`.
 */
export function createFunctionLog(
  level: LogLevel,
  fields: Readonly<Record<string, unknown>>,
  write: (line: string) => void,
): FunctionLog {
  const method = (name: Exclude<LogLevel, "silent">): LogMethod => {
    if (logLevels[name] < logLevels[level]) return nothing;
    return (first, ...rest) => write(`${line(logLevels[name], fields, first, rest)}\n`);
  };
  return {
    level,
    trace: method("trace"),
    debug: method("debug"),
    info: method("info"),
    warn: method("warn"),
    error: method("error"),
    fatal: method("fatal"),
    child: (more) => createFunctionLog(level, { ...fields, ...more }, write),
  };
}

function line(
  level: number,
  fields: Readonly<Record<string, unknown>>,
  first: unknown,
  rest: readonly unknown[],
): string {
  const record: Record<string, unknown> = { level, time: Date.now(), ...fields };
  let [message, values] = [first, rest];
  if (first instanceof Error) {
    record["err"] = { type: first.name, message: first.message, stack: first.stack };
    [message = first.message, ...values] = rest;
  } else if (typeof first === "object" && first !== null) {
    Object.assign(record, first);
    [message, ...values] = rest;
  }
  if (message !== undefined) {
    const { format } = process.getBuiltinModule("node:util");
    record["msg"] = typeof message === "string" ? format(message, ...values) : message;
  }
  return JSON.stringify(record, withoutCircles());
}

/** Objects that contain themselves must not make logging throw. */
function withoutCircles(): (key: string, value: unknown) => unknown {
  const seen = new WeakSet<object>();
  return (_key, value) => {
    if (typeof value === "bigint") return String(value);
    if (typeof value !== "object" || value === null) return value;
    if (seen.has(value)) return "[seen]";
    seen.add(value);
    return value;
  };
}
