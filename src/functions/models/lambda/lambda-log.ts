import type { FunctionError } from "./invocation.ts";
import type { LambdaSettings } from "./lambda-settings.ts";

/** What a person and a log reader see of each call: START, what the function says, END and REPORT. */
export interface LambdaLog {
  start(id: string): void;
  error(id: string, error: FunctionError): void;
  /** `ms`: how long the call took. */
  end(id: string, ms: number): void;
  /** The last 4 KB written, for callers who ask. */
  tail(): string;
}

const tailBytes = 4096;

/** Writes to standard output; `initMs` is said once, with the first call. */
export function createLambdaLog(
  settings: LambdaSettings,
  initMs: number,
  write: (text: string) => void,
): LambdaLog & { readonly write: (text: string) => void } {
  let init: number | undefined = initMs;
  let tail = "";
  const memory = memoryOfSecond();
  const say = (text: string): void => {
    tail = (tail + text).slice(-tailBytes);
    write(text);
  };
  const json = (type: string, record: object): void =>
    say(`${JSON.stringify({ time: new Date().toISOString(), type, record })}\n`);
  return {
    write: say,
    tail: () => tail,
    start(id) {
      if (settings.logFormat === "json") json("platform.start", { requestId: id, version: settings.functionVersion });
      else say(`START RequestId: ${id} Version: ${settings.functionVersion}\n`);
    },
    error(id, error) {
      const at = new Date().toISOString();
      if (settings.logFormat === "json")
        say(`${JSON.stringify({ timestamp: at, level: "ERROR", requestId: id, message: error })}\n`);
      else say(`${at}\t${id}\tERROR\tInvoke Error \t${JSON.stringify(error)}\n`);
    },
    end(id, ms) {
      const report = {
        durationMs: Number(ms.toFixed(2)),
        billedDurationMs: Math.ceil(ms + (init ?? 0)),
        memorySizeMB: Number(settings.memoryMb),
        maxMemoryUsedMB: memory(),
        ...(init === undefined ? {} : { initDurationMs: Number(init.toFixed(2)) }),
      };
      init = undefined;
      if (settings.logFormat === "json") json("platform.report", { requestId: id, metrics: report });
      else
        say(
          `END RequestId: ${id}\nREPORT RequestId: ${id}\tDuration: ${report.durationMs} ms\tBilled Duration: ${report.billedDurationMs} ms\t` +
            `Memory Size: ${report.memorySizeMB} MB\tMax Memory Used: ${report.maxMemoryUsedMB} MB` +
            `${report.initDurationMs === undefined ? "" : `\tInit Duration: ${report.initDurationMs} ms`}\n`,
        );
    },
  };
}

/** Asked of the system once a second at most: it costs as much as a small function. */
function memoryOfSecond(): () => number {
  let [megabytes, until] = [0, 0];
  return () => {
    const now = Date.now();
    if (now >= until) [megabytes, until] = [Math.ceil(process.memoryUsage.rss() / 1048576), now + 1000];
    return megabytes;
  };
}

const consoleLevels = {
  log: "INFO",
  info: "INFO",
  debug: "DEBUG",
  trace: "TRACE",
  warn: "WARN",
  error: "ERROR",
} as const;
type ConsoleMethod = keyof typeof consoleLevels;

/** Makes the function's console write lines with time, request id and level, as Lambda's runtime does. */
export function patchConsole(
  target: Record<ConsoleMethod, (...values: unknown[]) => void>,
  settings: LambdaSettings,
  currentId: () => string | undefined,
  write: (text: string) => void,
): void {
  const { format } = process.getBuiltinModule("node:util");
  for (const [method, level] of Object.entries(consoleLevels)) {
    target[method as ConsoleMethod] = (...values) => {
      const at = new Date().toISOString();
      const id = currentId();
      if (settings.logFormat === "json") {
        const [only] = values;
        const message =
          values.length === 1 && typeof only === "object" && !(only instanceof Error) ? only : format(...values);
        write(`${JSON.stringify({ timestamp: at, level, ...(id === undefined ? {} : { requestId: id }), message })}\n`);
      } else write(`${at}\t${id ?? "undefined"}\t${level}\t${format(...values).replaceAll("\n", "\r")}\n`);
    };
  }
}
