/** A sink of several triggers, one per path: says no now and then, and keeps what it said yes to. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface EventSink {
  /** Ends with a slash; the trigger's name follows. */
  readonly url: string;
  readonly triggers: ReadonlyMap<string, ReadonlySet<string>>;
  /** Deliveries beyond the first. */
  readonly repeated: number;
  /** Events that came to `ordered` for the first time when a later one of their key had come. */
  readonly overtaken: readonly string[];
  close(): void;
}

export async function startEventSink(triggers: readonly string[], random: () => number): Promise<EventSink> {
  const received = new Map(triggers.map((name) => [name, new Set<string>()]));
  const newest = new Map<string, number>();
  const counts = { repeated: 0, overtaken: [] as string[] };
  const take = (name: string, id: string): void => {
    const ids = received.get(name);
    if (!ids || ids.has(id)) return void (counts.repeated += 1);
    ids.add(id);
    if (name !== "ordered") return;
    const cut = id.lastIndexOf("-");
    const [key, n] = [id.slice(0, cut), Number(id.slice(cut + 1))];
    if (n < (newest.get(key) ?? -1)) counts.overtaken.push(id);
    else newest.set(key, n);
  };
  const server = createServer((request, response) => {
    request.resume().once("end", () => {
      if (random() < 0.02) return response.writeHead(503).end();
      take((request.url ?? "/").slice(1), String(request.headers["ce-id"]));
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    triggers: received,
    get repeated() {
      return counts.repeated;
    },
    overtaken: counts.overtaken,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
