import type { IncomingMessage } from "node:http";

/** The whole body; `too-large` as soon as that is known. Rejects when the sender goes away. */
export function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer | "too-large"> {
  if (Number(request.headers["content-length"] ?? 0) > maxBytes) return Promise.resolve("too-large");
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > maxBytes) {
        request.pause();
        resolve("too-large");
      } else chunks.push(chunk);
    });
    request.once("end", () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)));
    request.once("error", reject);
    request.once("close", () => reject(Object.assign(new Error("the sender went away"), { code: "ECONNRESET" })));
  });
}
