import { answerError } from "../../hosts/node/answer-error.ts";
import type { ModelContext, RequestListener, ServedFunction } from "../model.ts";
import { sendText } from "../send.ts";
import { forkRequest } from "./fork-request.ts";
import { keepProgram } from "./kept-program.ts";
import { readStdioSettings, type StdioSettings } from "./stdio-settings.ts";

/** A program that reads the request on standard input and writes the answer on standard output. */
export function stdioModel({ entry, env, drain }: ModelContext): ServedFunction {
  const settings = readStdioSettings(entry, env);
  if (settings.mode !== "http")
    return { request: limited(settings, (req, res) => forkRequest(settings, env, req, res)) };
  const program = keepProgram(settings, env);
  drain.onStop(() => program.end());
  return {
    request: limited(settings, (req, res) => {
      program.request(req, res);
      return new Promise((resolve) => res.once("close", resolve));
    }),
  };
}

type Work = (...args: Parameters<RequestListener>) => Promise<void>;

/** Answers the watchdog's probes, and 429 when as many as allowed are under way. */
function limited({ maxInflight }: StdioSettings, work: Work): RequestListener {
  let inflight = 0;
  return (req, res) => {
    const full = maxInflight > 0 && inflight >= maxInflight;
    if (req.url === "/_/health") sendText(res, 200, "OK");
    else if (req.url === "/_/ready") sendText(res, full ? 429 : 200, full ? "busy\n" : "OK");
    else if (full)
      sendText(res, 429, "concurrent request limit exceeded\n", { "x-openfaas-internal": "faas-middleware" });
    else {
      inflight++;
      work(req, res)
        .catch((error: unknown) => answerError(req, res, error))
        .finally(() => inflight--);
    }
  };
}
