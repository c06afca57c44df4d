import type { IncomingMessage, ServerResponse } from "node:http";
import { sendText } from "./send.ts";

/**
 * The whole body. Answers 413 itself and gives undefined when it is longer than `limit` bytes, by its declared length
 * before anything is read, else as soon as it is seen. Rejects when the caller leaves before the end.
 */
export function readBody(req: IncomingMessage, res: ServerResponse, limit: number): Promise<Buffer | undefined> {
  if (Number(req.headers["content-length"] ?? 0) > limit) {
    refuse(req, res, limit);
    return Promise.resolve(undefined);
  }
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    req.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= limit) chunks.push(chunk);
      else if (size - chunk.length <= limit) {
        refuse(req, res, limit);
        resolve(undefined);
      }
    });
    req.once("end", () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)));
    req.once("error", reject);
    req.once("close", () => reject(new Error("the caller left before the body was complete")));
  });
}

/** The connection ends with the answer: what is still to come of the body is not read. */
function refuse(req: IncomingMessage, res: ServerResponse, limit: number): void {
  res.setHeader("connection", "close");
  sendText(res, 413, `the request's body is longer than the ${limit} bytes this function takes\n`);
  req.resume();
}
