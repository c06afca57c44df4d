/** Reads one source until it is killed: `node reading-process.ts SPEC`, a SourceSpec as JSON. Says when it is connected. */
import type { SourceSpec } from "../../../src/api/eventing/source-engine.ts";
import { systemClock } from "../../../src/client/clock.ts";
import { createSender } from "../../../src/events/delivery/http-sender.ts";
import { createSourceRunner } from "../../../src/events/sources/source-runner.ts";
import type { Logger } from "../../../src/telemetry/logger.ts";

const log: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: (message, fields) => void process.stderr.write(`${message} ${JSON.stringify(fields)}\n`),
  error: () => undefined,
  with: () => log,
  enabled: () => false,
};
const spec = JSON.parse(process.argv[2] ?? "") as SourceSpec;
const sender = createSender({ clock: systemClock, dial: () => undefined });
const runner = createSourceRunner({}, { sender, clock: systemClock, log });
runner.onChange(() => {
  if (runner.sourceState(spec.key)?.connected) process.stdout.write("connected\n");
});
runner.setSource(spec);
