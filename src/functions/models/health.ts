import type { ServerResponse } from "node:http";
import type { Hooks } from "./lifecycle.ts";
import type { RequestListener } from "./model.ts";

/** Where probes ask; the same as Knative functions' (functions.md §2.3). */
export const livenessPath = "/health/liveness";
export const readinessPath = "/health/readiness";

/** Answers the two health paths from alive() and ready(), where the function has them. */
export function healthBeside(hooks: Hooks, next: RequestListener): RequestListener {
  return (req, res) => {
    const hook = req.url === livenessPath ? hooks.alive : req.url === readinessPath ? hooks.ready : undefined;
    if (hook && req.method === "GET") void answerHealth(res, hook);
    else next(req, res);
  };
}

/** 200 unless the hook gives false, throws or rejects: then 503. `[false, "why"]` is the long form. */
export async function answerHealth(res: ServerResponse, hook: () => unknown): Promise<void> {
  let [well, why] = [true, "OK"];
  try {
    const answer = await hook();
    const [verdict, text] = Array.isArray(answer) ? (answer as readonly unknown[]) : [answer];
    well = verdict !== false;
    why = typeof text === "string" ? text : well ? "OK" : "not well";
  } catch (error) {
    [well, why] = [false, error instanceof Error ? error.message : String(error)];
  }
  const body = `${why}\n`;
  res.writeHead(well ? 200 : 503, {
    "content-type": "text/plain; charset=utf-8",
    "content-length": Buffer.byteLength(body),
  });
  res.end(body);
}
