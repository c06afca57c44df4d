import type { Server } from "node:http";
import type { ClaimMessage } from "../protocol.ts";
import { adoptListener } from "../../models/server/own-server.ts";
import type { ServedFunction } from "../../models/model.ts";
import type { Drain } from "./drain.ts";
import { LoadError } from "./load-error.ts";
import { loadFunction, type LoadRequest } from "./load.ts";

export interface FunctionServer {
  readonly server: Server;
  /** The port the function is told to listen on, should it have a server of its own. */
  readonly port: number;
  readonly drain: Drain;
  /** The door is open to all addresses, as in a container. */
  readonly isOpen: boolean;
}

/**
 * Loads the function and lets the server pass it requests, or finds that it listens itself. Rejects with why not;
 * `fail` is called when it takes too long, since code that never ends cannot be rejected.
 */
export async function serveFunction(
  { server, port, drain, isOpen }: FunctionServer,
  request: LoadRequest & Pick<ClaimMessage, "loadTimeoutMs">,
  fail: (error: unknown) => void,
): Promise<"host" | "own-server"> {
  const own = adoptListener(server, port, isOpen);
  let loaded: ServedFunction | "own-server" | undefined;
  let timeout = setTimeout(() => fail(tooLate(loaded, request.loadTimeoutMs)), request.loadTimeoutMs);
  try {
    loaded = await loadFunction(request, drain);
    if (loaded === "own-server") {
      // Whoever waits for a deployment, for a minute by default, should hear of it.
      const ms = Math.min(request.loadTimeoutMs, toListenMs);
      clearTimeout(timeout);
      timeout = setTimeout(() => fail(tooLate(loaded, ms)), ms);
      drain.follow(await own.listening());
      return "own-server";
    }
    own.release();
    server.on("request", loaded.request);
    if (loaded.upgrade) server.on("upgrade", loaded.upgrade);
    return "host";
  } finally {
    clearTimeout(timeout);
  }
}

/** What a module that exports nothing and does something may take until it listens. */
const toListenMs = 30_000;

const tooLate = (loaded: ServedFunction | "own-server" | undefined, ms: number): LoadError =>
  loaded === undefined
    ? new LoadError("LoadTimeout", `the function was not loaded within ${ms} ms`)
    : new LoadError("NeverListens", `the module exports no handler, and did not listen on PORT within ${ms} ms`);
