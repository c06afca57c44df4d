import { createServer } from "node:net";

/**
 * Private ports for programs, from below the range the system gives to outgoing connections (32768 up on Linux,
 * 49152 up elsewhere), so that none of those can take the port between the choice and the program's bind.
 */
const first = 20_000;
const count = 10_000;

export interface PortPicker {
  /** A port nobody listens on now, and not given out by this picker while it is held. */
  take(): Promise<number>;
  release(port: number): void;
}

export function createPortPicker(random: () => number): PortPicker {
  const held = new Set<number>();
  let next = Math.floor(random() * count);
  return {
    async take() {
      for (let tries = 0; tries < count; tries++) {
        const port = first + (next++ % count);
        if (held.has(port)) continue;
        held.add(port);
        if (await isFree(port)) return port;
        held.delete(port);
      }
      throw new Error(`every port from ${first} to ${first + count - 1} is taken`);
    },
    release(port) {
      held.delete(port);
    },
  };
}

/** Tries to bind on all addresses, as most programs will. */
function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, host: "0.0.0.0", exclusive: true }, () => server.close(() => resolve(true)));
  });
}
