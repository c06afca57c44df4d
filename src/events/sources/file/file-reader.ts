/**
 * FileSource: files of a folder that appear, change or go. A file is read once it has stayed the same for a while. What
 * was delivered is remembered, so that a file is one event over restarts, too.
 */
import { createHash } from "node:crypto";
import { realpath, readFile, unlink } from "node:fs/promises";
import { basename, extname, isAbsolute, join, relative } from "node:path";
import type { CloudEvent } from "../../../api/cloudevents/cloud-event.ts";
import { parseDuration } from "../../../api/meta/duration.ts";
import type { FileSourceSpec } from "../../../api/sources/types-stores.gen.ts";
import { sleep } from "../../../client/clock.ts";
import { InFlight } from "../in-flight.ts";
import type { SourceContext, SourceReader } from "../source-reader.ts";
import { untilTaken } from "../until-taken.ts";
import { compilePattern, type FilePattern } from "./file-pattern.ts";
import { scanFolder, statOf, type FoundFile } from "./folder-scan.ts";

type Settings = FileSourceSpec & { readonly path: string };
type Happening = "created" | "modified" | "deleted";

const defaults = { settleMs: 1000, intervalMs: 2000, maxBytes: 1024 * 1024, maxInFlight: 8 } as const;
/** What was delivered is written down together with what follows at once; a crash in between sends it again. */
const rememberMs = 250;
/** The memory is renewed, lest it be taken for one that nobody wants any more. */
const renewMs = 24 * 3_600_000;

export const fileReader: SourceReader = {
  kind: "FileSource",
  leavesNothing: true,
  async open(given, context) {
    const settings = given as Settings;
    const folder = await allowedFolder(settings.path, context.folders);
    const watch = new FolderWatch(settings, folder, context);
    await watch.begin();
    const ended = watch.follow();
    ended.catch((error: unknown) => context.signal.aborted || context.failed(error));
    return {
      async close() {
        await ended.catch(() => undefined);
        await watch.close();
      },
    };
  },
};

/** Where the folder really is; rejects when that is not in one of the folders that may be read. */
export async function allowedFolder(path: string, folders: readonly string[]): Promise<string> {
  if (folders.length === 0)
    throw new Error("no folder may be read here: start ebb with ebb up --files DIR. On a cluster there are none");
  const refused = new Error(
    `"${path}" is in none of the folders that ebb may read (ebb up --files ${folders.join(", ")})`,
  );
  // Before it is looked at: what is elsewhere is nobody's business, not even whether it is there.
  if (!folders.some((allowed) => isWithin(allowed, path))) throw refused;
  const real = await realpath(path).catch((error: unknown) => {
    throw new Error(`the folder "${path}" cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  });
  const allowed = await Promise.all(folders.map((one) => realpath(one).catch(() => one)));
  if (!allowed.some((one) => isWithin(one, real))) throw refused;
  return real;
}

function isWithin(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way === "" || (!way.startsWith("..") && !isAbsolute(way));
}

class FolderWatch {
  readonly #settings: Settings;
  readonly #folder: string;
  readonly #context: SourceContext;
  readonly #pattern: FilePattern;
  readonly #settleMs: number;
  readonly #intervalMs: number;
  readonly #inFlight: InFlight;
  /** Marks of what was delivered, by path. */
  #known = new Map<string, string>();
  /** Files that are not yet the same for long enough, with when they were first seen so. */
  readonly #restless = new Map<string, { readonly mark: string; readonly sinceMs: number }>();
  readonly #underWay = new Set<string>();
  #writes: Promise<void> = Promise.resolve();
  #cancelWrite: (() => void) | undefined;
  #writtenMs = 0;

  constructor(settings: Settings, folder: string, context: SourceContext) {
    this.#settings = settings;
    this.#folder = folder;
    this.#context = context;
    this.#pattern = compilePattern(settings.pattern || "*");
    this.#settleMs = parseDuration(settings.settle ?? "") ?? defaults.settleMs;
    this.#intervalMs = parseDuration(settings.interval ?? "") ?? defaults.intervalMs;
    this.#inFlight = new InFlight(settings.maxInFlight ?? defaults.maxInFlight);
  }

  /** Remembers; at the very first start what is there is sent or passed over. */
  async begin(): Promise<void> {
    const files = await this.#scan();
    const text = await this.#context.memory.read();
    if (text !== undefined) this.#known = new Map(Object.entries(JSON.parse(text) as Record<string, string>));
    else if (this.#settings.existing === "skip") this.#known = new Map(files.map(({ path, mark }) => [path, mark]));
    await this.#write();
  }

  /** Looks again and again; rejects when the folder cannot be read. */
  async follow(): Promise<void> {
    const { signal, clock } = this.#context;
    while (!signal.aborted) {
      this.#compare(await this.#scan());
      if (clock.steadyMs() - this.#writtenMs > renewMs) await this.#write();
      await sleep(clock, this.#intervalMs, signal).catch(() => undefined);
    }
  }

  async #scan(): Promise<readonly FoundFile[]> {
    try {
      return await scanFolder(this.#folder, this.#pattern);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new Error(`the folder "${this.#settings.path}" cannot be read: ${why}`, { cause: error });
    }
  }

  #compare(files: readonly FoundFile[]): void {
    const now = this.#context.clock.steadyMs();
    const there = new Set<string>();
    for (const file of files) {
      there.add(file.path);
      if (this.#known.get(file.path) === file.mark || this.#underWay.has(file.path)) continue;
      const restless = this.#restless.get(file.path);
      if (restless?.mark !== file.mark) this.#restless.set(file.path, { mark: file.mark, sinceMs: now });
      if (now - (this.#restless.get(file.path)?.sinceMs ?? now) < this.#settleMs) continue;
      this.#restless.delete(file.path);
      this.#begin(file, this.#known.has(file.path) ? "modified" : "created");
    }
    for (const path of this.#restless.keys()) if (!there.has(path)) this.#restless.delete(path);
    for (const [path, mark] of this.#known)
      if (!there.has(path) && !this.#underWay.has(path))
        this.#begin({ path, mark, size: 0, mtimeMs: this.#context.clock.now() }, "deleted");
  }

  #begin(file: FoundFile, happening: Happening): void {
    this.#underWay.add(file.path);
    void this.#inFlight.run(async () => {
      try {
        if (!this.#context.signal.aborted) await this.#carry(file, happening);
      } catch (error) {
        this.#context.log.warn("a file could not be sent; it is tried again", { file: file.path, err: error });
      } finally {
        this.#underWay.delete(file.path);
      }
    });
  }

  async #carry(file: FoundFile, happening: Happening): Promise<void> {
    const { events = ["created", "modified"], afterDelivery } = this.#settings;
    const isWanted = events.includes(happening);
    const event = isWanted ? await this.#eventOf(file, happening) : undefined;
    // It changed while it was read: it is looked at again.
    if (isWanted && !event) return;
    if (event && !(await untilTaken(this.#context, event))) return;
    if (happening === "deleted") this.#known.delete(file.path);
    else if (afterDelivery === "delete" && isWanted) {
      // Only what was sent: whatever was put in its place meanwhile is another file.
      const now = await statOf(this.#folder, file.path);
      if (now?.mark === file.mark) await unlink(join(this.#folder, file.path));
      this.#known.delete(file.path);
    } else this.#known.set(file.path, file.mark);
    this.#writeSoon();
  }

  async #eventOf(file: FoundFile, happening: Happening): Promise<CloudEvent | undefined> {
    const { content, maxBytes = defaults.maxBytes } = this.#settings;
    const { path, mark, size, mtimeMs } = file;
    const common = {
      specversion: "1.0",
      // The same file in the same state is the same event.
      id: createHash("sha256").update(`${path}\0${mark}\0${happening}`).digest("hex").slice(0, 32),
      source: this.#context.sourceOf(),
      type: `dev.ebb.sources.file.${happening}`,
      subject: path,
      time: new Date(mtimeMs).toISOString(),
      partitionkey: path,
    };
    if (happening === "deleted") return common;
    const isReference = content === "reference" || size > maxBytes;
    const facts = { path: join(this.#folder, path), name: basename(path), size, modified: common.time };
    if (isReference)
      return {
        ...common,
        filecontent: "reference",
        datacontenttype: "application/json",
        data: Buffer.from(JSON.stringify(facts)),
      };
    const data = await readFile(join(this.#folder, path)).catch(() => undefined);
    const now = await statOf(this.#folder, path);
    if (!data || now?.mark !== mark) return undefined;
    return { ...common, filename: facts.name, datacontenttype: mediaTypeOf(path), data };
  }

  #writeSoon(): void {
    this.#cancelWrite ??= this.#context.clock.after(rememberMs, () => {
      this.#cancelWrite = undefined;
      void this.#write().catch((error: unknown) => this.#context.failed(error));
    });
  }

  #write(): Promise<void> {
    this.#writtenMs = this.#context.clock.steadyMs();
    const written = this.#writes.then(() =>
      this.#context.memory.write(JSON.stringify(Object.fromEntries(this.#known))),
    );
    this.#writes = written.catch(() => undefined);
    return written;
  }

  async close(): Promise<void> {
    await this.#inFlight.idle();
    if (this.#cancelWrite) {
      this.#cancelWrite();
      await this.#write();
    }
    await this.#writes;
  }
}

/** By what the name ends in; for the few that functions are written for. */
const mediaTypes: Readonly<Record<string, string>> = {
  ".json": "application/json",
  ".csv": "text/csv",
  ".txt": "text/plain",
  ".log": "text/plain",
  ".md": "text/markdown",
  ".html": "text/html",
  ".xml": "application/xml",
  ".yaml": "application/yaml",
  ".yml": "application/yaml",
  ".ndjson": "application/x-ndjson",
  ".pdf": "application/pdf",
  ".png": "image/png",
  ".jpg": "image/jpeg",
  ".jpeg": "image/jpeg",
  ".gif": "image/gif",
  ".webp": "image/webp",
  ".svg": "image/svg+xml",
};
const mediaTypeOf = (path: string): string => mediaTypes[extname(path).toLowerCase()] ?? "application/octet-stream";
