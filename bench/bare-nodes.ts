import { spawn } from "node:child_process";
import { once } from "node:events";

/** Milliseconds until this many `node` programs that do nothing, started at once, have all ended. */
export async function bareNodes(count: number): Promise<number> {
  const began = performance.now();
  await Promise.all(
    Array.from({ length: count }, () => once(spawn(process.execPath, ["-e", "0"], { stdio: "ignore" }), "exit")),
  );
  return performance.now() - began;
}
