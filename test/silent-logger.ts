import type { Logger } from "../src/telemetry/logger.ts";

/** For tests that look at what is done, not at what is said of it. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  with: () => silentLogger,
  enabled: () => false,
};
