import { createServer, request as send, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What goes wrong with one request on its way to a registry. */
export interface Fault {
  readonly method: string;
  /** Part of the path. */
  readonly path: string;
  /** How many requests it befalls; 1 when absent. */
  readonly times?: number;
  readonly act:
    | {
        readonly kind: "answer";
        readonly status: number;
        readonly headers?: Readonly<Record<string, string>>;
        readonly body?: string;
      }
    /** Lets so many bytes of the request through, then hangs up on both sides. */
    | { readonly kind: "cut-request"; readonly after: number }
    | { readonly kind: "cut-response"; readonly after: number }
    /** Turns one byte of the answer over. */
    | { readonly kind: "spoil-response" };
}

export interface FaultyProxy {
  /** `127.0.0.1:40123`. */
  readonly host: string;
  /** `METHOD path` of all that passed or tried to. */
  readonly seen: readonly string[];
  fail(...faults: readonly Fault[]): void;
  close(): Promise<void>;
}

/** Stands before a registry at `upstream` (`127.0.0.1:5000`) and does what the faults say, each once its turn has come. */
export async function startFaultyProxy(upstream: string): Promise<FaultyProxy> {
  const seen: string[] = [];
  let faults: { readonly fault: Fault; left: number }[] = [];
  const server = createServer((request, response) => {
    const { method = "", url = "" } = request;
    seen.push(`${method} ${url}`);
    const due = faults.find(({ fault, left }) => left > 0 && fault.method === method && url.includes(fault.path));
    if (due) due.left -= 1;
    handle(upstream, request, response, due?.fault.act);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    fail(...added) {
      faults = added.map((fault) => ({ fault, left: fault.times ?? 1 }));
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}

function handle(
  upstream: string,
  request: IncomingMessage,
  response: ServerResponse,
  act: Fault["act"] | undefined,
): void {
  if (act?.kind === "answer") {
    request.resume();
    response.writeHead(act.status, act.headers ?? {}).end(act.body ?? "");
    return;
  }
  const [host, port] = upstream.split(":");
  const onward = send({ host, port, method: request.method, path: request.url, headers: request.headers });
  onward.on("error", () => response.destroy());
  onward.on("response", (answer) => {
    response.writeHead(answer.statusCode ?? 500, answer.headers);
    let passed = 0;
    answer.on("data", (chunk: Buffer) => {
      const piece =
        act?.kind === "cut-response" ? chunk.subarray(0, Math.max(0, act.after - passed)) : Buffer.from(chunk);
      if (act?.kind === "spoil-response" && passed === 0 && piece.length > 0) piece[0] = (piece[0] ?? 0) ^ 1;
      passed += chunk.length;
      response.write(piece, () => {
        if (act?.kind === "cut-response" && passed >= act.after) request.socket.destroy();
      });
    });
    answer.on("end", () => response.end());
    answer.on("error", () => response.destroy());
  });
  let sent = 0;
  request.on("data", (chunk: Buffer) => {
    const piece = act?.kind === "cut-request" ? chunk.subarray(0, Math.max(0, act.after - sent)) : chunk;
    sent += chunk.length;
    onward.write(piece, () => {
      if (act?.kind !== "cut-request" || sent < act.after) return;
      onward.destroy();
      request.socket.destroy();
    });
  });
  request.on("end", () => onward.end());
  request.on("error", () => onward.destroy());
}
