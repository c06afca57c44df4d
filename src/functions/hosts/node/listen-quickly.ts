import type { Server } from "node:net";

/** A port of the system's choice on the loopback, or a path of the Unix domain. */
export type LocalAddress = { readonly port: 0 } | { readonly path: string };

/** What `server.listen` ends in; not documented, hence the ordinary way beside it. */
interface Binder {
  _listen2?(address: string, port: number, family: number, backlog: number): void;
}

const backlog = 4096;

/**
 * `server.listen` for an address that needs no looking up, without the modules that it loads for those that do and for
 * sharing ports between processes: 4 ms of processor time, of the 30 that starting a host takes. Emits `listening` or
 * `error` as that does.
 */
export function listenQuickly(server: Server, address: LocalAddress): void {
  const binder = server as unknown as Binder;
  const byPath = "path" in address;
  if (typeof binder._listen2 !== "function") {
    server.listen(byPath ? { path: address.path, backlog } : { host: "127.0.0.1", port: 0, backlog });
  } else if (byPath) binder._listen2(address.path, -1, -1, backlog);
  else binder._listen2("127.0.0.1", 0, 4, backlog);
}
