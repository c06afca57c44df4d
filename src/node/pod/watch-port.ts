import type { Clock } from "../../client/clock.ts";
import type { RunningContainer } from "../runtime.ts";

export interface PortListener {
  readonly isReady: () => boolean;
  /** It has listened on nothing so far; it may just be slow. */
  readonly onSilent: (message: string) => void;
  /** It listens, but elsewhere: it will never get a request. */
  readonly onIgnored: (message: string) => void;
}

/** Checks at 1.5 s and then every 3 s until ready: seldom enough to cost nothing, soon enough to answer "why". */
const firstMs = 1_500;
const laterMs = 3_000;
/** Seen elsewhere this often in a row means it is not merely opening one port before the other. */
const timesElsewhere = 2;

/**
 * Finds out whether a program that does not become ready listens where it was told to (PORT), elsewhere, or nowhere.
 * Says nothing where the system cannot tell.
 */
export function watchPort(
  { clock }: { readonly clock: Clock },
  running: RunningContainer,
  listener: PortListener,
): () => void {
  let stopped = false;
  let elsewhere = 0;
  let cancel = clock.after(firstMs, () => void check());

  async function check(): Promise<void> {
    if (stopped || listener.isReady()) return;
    const port = running.address?.port;
    const ports = port === undefined ? undefined : await running.listeningPorts();
    if (stopped || listener.isReady()) return;
    if (port !== undefined && ports !== undefined && !ports.includes(port)) {
      elsewhere = ports.length === 0 ? 0 : elsewhere + 1;
      if (ports.length === 0) listener.onSilent(`listens on no port yet; PORT is ${port}`);
      else if (elsewhere >= timesElsewhere) return listener.onIgnored(ignored(ports, port));
    }
    cancel = clock.after(laterMs, () => void check());
  }

  return () => {
    stopped = true;
    cancel();
  };
}

const ignored = (ports: readonly number[], port: number): string =>
  `the program listens on port ${ports.join(", ")} and ignores PORT (${port}): make it listen on the port in the ` +
  "environment variable PORT";
