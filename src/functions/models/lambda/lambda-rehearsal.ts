import type { Drain } from "../../hosts/node/drain.ts";
import type { ServedFunction } from "../model.ts";
import { invokeHandler } from "./call-handler.ts";
import { lambdaFront } from "./lambda-front.ts";
import { createLambdaLog } from "./lambda-log.ts";
import { readLambdaSettings } from "./lambda-settings.ts";

/**
 * A handler of one line behind all that stands before a real one, for a waiting host to try: nothing is printed, and
 * nothing of the process is changed that the function claimed later would see.
 */
export function lambdaRehearsal(drain: Drain): ServedFunction["request"] {
  const settings = readLambdaSettings({});
  const log = createLambdaLog(settings, 0, () => undefined);
  const handler = (): Promise<unknown> => Promise.resolve({ statusCode: 200, body: "" });
  const invoke = invokeHandler(handler, { settings, env: {}, now: Date.now, stuck: () => undefined });
  return lambdaFront({ invoke, settings, log, drain, now: Date.now });
}
