/**
 * Writes to an API server on the directory given until it is killed, telling each acknowledged write on standard
 * output: `put NAME VALUE REVISION` or `delete NAME REVISION`. Synchronously, so that what was told is never lost.
 */
import { writeSync } from "node:fs";
import { ConfigMapKind } from "../../src/api/core/kinds.ts";
import { builtinDefinitions } from "../../src/api/definitions.ts";
import { isNotFound } from "../../src/api/meta/errors.ts";
import { createApiServer } from "../../src/apiserver/server.ts";
import type { Logger } from "../../src/telemetry/logger.ts";
import { seededRandom } from "./seeded-random.ts";

const [dataDir = "", seed = "0"] = process.argv.slice(2);
const random = seededRandom(Number(seed));
const log: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: (message) => void writeSync(2, `${message}\n`),
  with: () => log,
  enabled: () => false,
};
const { api } = createApiServer({ dataDir, definitions: builtinDefinitions }, { log, now: () => Date.now() });
const namespace = "default";

for (let i = 0; ; i += 1) {
  const name = `object-${Math.floor(random() * 40)}`;
  const value = `${seed}-${i}-${"x".repeat(Math.floor(random() * 4000))}`;
  // Both or neither: half of an object would be seen.
  const data = { value, length: String(value.length) };
  if (random() < 0.2) {
    try {
      await api.delete(ConfigMapKind, { namespace, name });
      const { metadata } = await api.list(ConfigMapKind, { namespace, limit: 1 });
      writeSync(1, `delete ${name} ${metadata.resourceVersion}\n`);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    continue;
  }
  const body = { apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data };
  const { metadata } = await api.patch(ConfigMapKind, { namespace, name }, { type: "apply", body });
  writeSync(1, `put ${name} ${value} ${metadata.resourceVersion}\n`);
}
