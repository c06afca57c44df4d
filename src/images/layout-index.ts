import { randomUUID } from "node:crypto";
import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { mediaTypes, nameAnnotation, type Descriptor, type Index } from "./oci.ts";

/** An entry's name: `registry/repository:tag`, or `registry/repository@digest` for what was filed without a tag. */
export function nameOf(entry: Descriptor): string {
  return entry.annotations?.[nameAnnotation] ?? "";
}

/** `index.json` of an OCI layout: the names in it. Read often, replaced whole, by several processes. */
export interface LayoutIndex {
  entries(): readonly Descriptor[];
  /** Reads, changes and replaces the index while no other process can. */
  update(change: (entries: readonly Descriptor[]) => readonly Descriptor[]): void;
  close(): void;
}

/**
 * The lock is SQLite's own on a file beside the index: the kernel drops it with the process, so a crash in the middle
 * leaves nothing to clean, and a waiting process waits at most ten seconds.
 */
export function openLayoutIndex(dir: string): LayoutIndex {
  const file = join(dir, "index.json");
  let cached: { readonly stamp: string; readonly entries: readonly Descriptor[] } | undefined;
  let lock: DatabaseSync | undefined;

  function entries(): readonly Descriptor[] {
    const facts = statSync(file, { bigint: true, throwIfNoEntry: false });
    if (!facts) return [];
    const stamp = `${facts.ino}-${facts.mtimeNs}-${facts.size}`;
    if (cached?.stamp !== stamp) {
      const index = JSON.parse(readFileSync(file, "utf8")) as Index;
      cached = { stamp, entries: index.manifests };
    }
    return cached.entries;
  }

  function replace(into: string, content: string): void {
    const aside = join(dir, "drafts", `${randomUUID()}.tmp`);
    try {
      writeFileSync(aside, content);
      renameSync(aside, into);
    } catch (error) {
      rmSync(aside, { force: true });
      throw error;
    }
  }

  return {
    entries,
    update(change) {
      lock ??= new DatabaseSync(join(dir, "lock.db"), { timeout: 10_000 });
      lock.exec("BEGIN IMMEDIATE");
      try {
        const before = entries();
        const manifests = change(before);
        if (manifests === before) return;
        const index: Index = { schemaVersion: 2, mediaType: mediaTypes.index, manifests };
        replace(join(dir, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
        replace(file, `${JSON.stringify(index, undefined, 2)}\n`);
        cached = undefined;
      } finally {
        lock.exec("ROLLBACK");
      }
    },
    close() {
      lock?.close();
      lock = undefined;
    },
  };
}
