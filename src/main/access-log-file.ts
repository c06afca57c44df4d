import { createWriteStream } from "node:fs";
import type { Logger } from "../telemetry/logger.ts";

export interface AccessLog {
  write(entry: object): void;
  close(): Promise<void>;
}

/** Lines that may wait for a slow disk; more are dropped and counted, so that logging never holds up requests. */
const maxWaitingBytes = 8 * 2 ** 20;

/** Appends one line of JSON per entry to a file, or to standard error for `-`. */
export function openAccessLog(file: string, log: Logger): AccessLog {
  const out = file === "-" ? process.stderr : createWriteStream(file, { flags: "a" });
  let dropped = 0;
  out.on("error", (err) => log.error("access log cannot be written", { file, err }));
  out.on("drain", () => {
    if (dropped > 0) log.warn("access log lines were dropped", { file, dropped });
    dropped = 0;
  });
  return {
    write(entry) {
      if (out.writableLength > maxWaitingBytes) dropped += 1;
      else out.write(`${JSON.stringify(entry)}\n`);
    },
    close: () => new Promise((done) => (out === process.stderr ? done() : out.end(() => done()))),
  };
}
