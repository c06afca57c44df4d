/** For tests: a model's adapter behind a real server in this process, and calls to it. */
import { createServer, request } from "node:http";
import type { IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { createDrain } from "../../hosts/node/drain.ts";
import type { ModelContext, ModuleExports, ServedFunction } from "../model.ts";

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface Asked {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

export interface TestFunction extends AsyncDisposable {
  readonly port: number;
  call(asked?: Asked): Promise<Answer>;
}

export interface TestSettings {
  readonly env?: Readonly<Record<string, string>>;
  readonly target?: string;
  readonly signature?: string;
}

/** Serves these exports as the module of a function. */
export async function serveModel(
  model: (context: ModelContext) => Promise<ServedFunction> | ServedFunction,
  exports: ModuleExports,
  { env = {}, ...settings }: TestSettings = {},
): Promise<TestFunction> {
  const server = createServer();
  const served = await model({ entry: "/app/index.mjs", exports, env, drain: createDrain(server), ...settings });
  server.on("request", served.request);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    call: (asked = {}) => call(port, asked),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function call(port: number, { method = "GET", path = "/", headers = {}, body }: Asked): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { "content-length": Buffer.byteLength(body) };
    const options = {
      port,
      host: "127.0.0.1",
      method,
      path,
      headers: { ...length, ...headers },
      agent: false,
    } as const;
    const sent = request(options, (res) => {
      const chunks: Buffer[] = [];
      res.on("data", (chunk: Buffer) => chunks.push(chunk));
      res.once("error", reject);
      res.once("end", () =>
        resolve({ status: res.statusCode ?? 0, headers: res.headers, text: Buffer.concat(chunks).toString() }),
      );
    });
    sent.once("error", reject);
    sent.end(body);
  });
}
