import { createServer, type RequestListener } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";

/** Something that must be there before the process is ready. */
export interface HealthPart {
  readonly name: string;
  /** What is still missing, in words; undefined when nothing is. */
  readonly missing: () => string | undefined;
}

export interface HealthListener {
  readonly port: number;
  /** Text of `/metrics`; empty until set. */
  setMetrics(text: () => string): void;
  close(): Promise<void>;
}

/** Serves /healthz and /livez (200 while the process answers), /readyz (200 when no part misses anything), /metrics. */
export async function startHealthListener(
  at: { readonly host: string; readonly port: number },
  parts: readonly HealthPart[],
): Promise<HealthListener> {
  let metrics = (): string => "";
  const server = createServer(answer(parts, () => metrics()));
  server.listen(at.port, at.host);
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    setMetrics: (text) => void (metrics = text),
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function answer(parts: readonly HealthPart[], metrics: () => string): RequestListener {
  return (request, response) => {
    const send = (code: number, text: string): void => {
      response.writeHead(code, { "content-type": "text/plain; version=0.0.4; charset=utf-8" });
      response.end(text);
    };
    switch (request.url?.split("?", 1)[0]) {
      case "/healthz":
      case "/livez":
        return send(200, "ok\n");
      case "/readyz": {
        const missing = parts.flatMap(({ name, missing }) => {
          const what = missing();
          return what === undefined ? [] : [`${name}: ${what}\n`];
        });
        return missing.length === 0 ? send(200, "ok\n") : send(503, missing.join(""));
      }
      case "/metrics":
        return send(200, metrics());
      default:
        return send(404, "there are /healthz, /readyz and /metrics\n");
    }
  };
}
