import type { IncomingMessage, ServerResponse } from "node:http";
import { answerError } from "../../hosts/node/answer-error.ts";

/** The classic Node handler; may return a promise. */
export type NodeHandler = (req: IncomingMessage, res: ServerResponse) => unknown;

/** Calls the handler and turns what it throws, at once or later, into a 500. */
export function nodeListener(handler: NodeHandler): (req: IncomingMessage, res: ServerResponse) => void {
  return (req, res) => {
    try {
      const result = handler(req, res);
      if (result instanceof Promise) result.catch((error: unknown) => answerError(req, res, error));
    } catch (error) {
      answerError(req, res, error);
    }
  };
}
