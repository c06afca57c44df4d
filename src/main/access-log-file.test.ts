import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Logger } from "../telemetry/logger.ts";
import { openAccessLog } from "./access-log-file.ts";

const said: string[] = [];
const say = (message: string): void => void said.push(message);
const log: Logger = { debug: say, info: say, warn: say, error: say, with: () => log, enabled: () => true };

test("entries are appended as lines of JSON, and closing waits for them", async () => {
  const dir = await mkdtemp(join(tmpdir(), "ebb-access-"));
  const file = join(dir, "access.log");
  for (const path of ["/a", "/b"]) {
    const access = openAccessLog(file, log);
    access.write({ path });
    await access.close();
  }
  expect(await readFile(file, "utf8")).toBe('{"path":"/a"}\n{"path":"/b"}\n');
  await rm(dir, { recursive: true });
});

test("a file that cannot be written is said and does not throw", async () => {
  const access = openAccessLog("/nonexistent/dir/access.log", log);
  access.write({ path: "/" });
  await expect.poll(() => said).toContain("access log cannot be written");
});
