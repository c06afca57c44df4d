import type { IncomingMessage } from "node:http";
import { badRequest, tooLarge } from "../../api/meta/errors.ts";

/** As upstream: what fits in one etcd request and some more. */
const maxBodyBytes = 3 * 1024 * 1024;

/** Reads a whole request body; throws 413 beyond 3 MiB without reading on. */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const text = `the request body is larger than ${maxBodyBytes} bytes`;
  if (Number(request.headers["content-length"] ?? 0) > maxBodyBytes) throw tooLarge(text);
  return await new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > maxBodyBytes) {
        request.pause();
        reject(tooLarge(text));
      } else chunks.push(chunk);
    });
    request.on("end", () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)));
    request.on("error", reject);
    request.on("aborted", () => reject(badRequest("the request body ended early")));
  });
}
