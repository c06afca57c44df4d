import { contentMode } from "../../../api/cloudevents/parse-http.ts";
import { answerError } from "../../hosts/node/answer-error.ts";
import { LoadError } from "../../hosts/node/load-error.ts";
import { isFunction, pick, unwrapDefault } from "../detect-model.ts";
import { isAbandoned } from "../expired.ts";
import { listNames } from "../fetch/fetch-model.ts";
import type { ModelContext, ServedFunction } from "../model.ts";
import { sendText } from "../send.ts";
import { readEvents, sendEventReply } from "./event-exchange.ts";

type EventFunction = (event: unknown, context: EventContext) => unknown;

export interface EventContext {
  readonly env: ModelContext["env"];
  /** Fires when the sender leaves. */
  readonly signal: AbortSignal;
  waitUntil(work: Promise<unknown>): void;
}

/** `export default (event, context) => …` or a named export: gets a CloudEvent, what it returns is the reply. */
export function cloudEventsModel(context: ModelContext): ServedFunction {
  const handler = findHandler(context);
  return {
    request(req, res) {
      const mode = contentMode(req.headers);
      if (mode === undefined) {
        sendText(res, 400, notAnEvent);
        return;
      }
      const leave = new AbortController();
      res.once("close", () => isAbandoned(res) && leave.abort());
      const eventContext: EventContext = {
        env: context.env,
        signal: leave.signal,
        waitUntil: (work) => context.drain.hold(Promise.resolve(work)),
      };
      const run = async (): Promise<void> => {
        const events = await readEvents(req, res, mode);
        if (!events) return;
        const replies: unknown[] = [];
        for (const event of events) replies.push(await handler(event, eventContext));
        sendEventReply(req, res, mode === "batch" ? replies.flat().filter(isSomething) : replies[0]);
      };
      run().catch((error: unknown) => answerError(req, res, error));
    },
  };
}

const isSomething = (value: unknown): boolean => value !== undefined && value !== null;

const notAnEvent =
  "not a CloudEvent: send the headers ce-specversion, ce-id, ce-source and ce-type, or a body of " +
  "application/cloudevents+json\n";

function findHandler({ exports, target }: ModelContext): EventFunction {
  const named = pick(exports, target ?? "event");
  if (isFunction(named.value)) {
    const { value, owner } = named;
    return (...args) => Reflect.apply(value, owner, args) as unknown;
  }
  const main = unwrapDefault(exports["default"]);
  if (target === undefined && isFunction(main)) return main as unknown as EventFunction;
  throw new LoadError(
    "NoHandler",
    `the module exports no function ${target === undefined ? "as default or `event`" : `"${target}"`} ` +
      `(it exports ${listNames(exports)}): write \`export default (event) => { … }\``,
  );
}
