import type { HostProcess } from "../../../src/functions/pool/host-process.ts";
import type { ServedModel } from "./model-conformance.ts";

/** A claimed host as the suite handles it: what it has printed, and its end by TERM or at once. */
export function hostUnderTest(host: HostProcess, port: number, printed: () => string): ServedModel {
  const signal = (name: NodeJS.Signals): void => {
    try {
      process.kill(host.pid, name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  };
  return {
    port,
    printed,
    async terminate() {
      signal("SIGTERM");
      return (await host.exited).code;
    },
    async kill() {
      signal("SIGKILL");
      await host.exited;
    },
  };
}
