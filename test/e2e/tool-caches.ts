import { existsSync, mkdirSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Has a data directory share compilers' caches with other tests: a first build compiles whole standard libraries. */
export async function shareToolCaches(dir: string): Promise<void> {
  const shared = join(tmpdir(), `ebb-test-tools-${process.getuid?.() ?? 0}`);
  mkdirSync(join(dir, "cache"), { recursive: true });
  for (const cache of ["go-cache", "cargo"]) {
    mkdirSync(join(shared, cache), { recursive: true });
    if (!existsSync(join(dir, "cache", cache))) symlinkSync(join(shared, cache), join(dir, "cache", cache));
  }
}
