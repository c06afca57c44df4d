import type { RequestListener } from "./model.ts";
import { requestId } from "./request-id.ts";

const levels = { log: "info", info: "info", debug: "debug", trace: "debug", warn: "warn", error: "error" } as const;
type ConsoleMethod = keyof typeof levels;

export interface JsonLogDeps {
  readonly console: Record<ConsoleMethod, (...values: unknown[]) => void>;
  readonly write: (line: string) => void;
  readonly now: () => number;
}

/**
 * Every line as JSON: `time, level, msg`, and within a request its id and trace. The function's console writes such lines,
 * and each request ends in one with method, path, status and milliseconds.
 */
export function withJsonLog({ console, write, now }: JsonLogDeps, next: RequestListener): RequestListener {
  const { AsyncLocalStorage } = process.getBuiltinModule("node:async_hooks");
  const { format } = process.getBuiltinModule("node:util");
  const storage = new AsyncLocalStorage<Readonly<Record<string, string>>>();
  const line = (level: string, fields: object): void =>
    write(`${JSON.stringify({ time: new Date(now()).toISOString(), level, ...fields })}\n`);
  for (const [method, level] of Object.entries(levels))
    console[method as ConsoleMethod] = (...values) => line(level, { msg: format(...values), ...storage.getStore() });
  return (req, res) => {
    const began = now();
    const trace = req.headers["traceparent"];
    const fields = { requestId: requestId(req), ...(typeof trace === "string" ? { traceparent: trace } : {}) };
    res.once("close", () => {
      const status = res.writableFinished ? res.statusCode : 499;
      line(status >= 500 ? "error" : "info", {
        msg: "request",
        ...fields,
        method: req.method,
        path: req.url?.split("?", 1)[0],
        status,
        ms: now() - began,
      });
    });
    storage.run(fields, () => next(req, res));
  };
}
