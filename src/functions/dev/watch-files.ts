import { watch, type FSWatcher } from "node:fs";
import { readdir } from "node:fs/promises";
import { dirname, join } from "node:path";

/** Folders whose contents never are a function's source: installed, generated or history. */
const ignoredFolders = new Set([
  ".git",
  ".hg",
  ".svn",
  ".ebb",
  ".func",
  ".idea",
  ".vscode",
  ".gradle",
  ".pytest_cache",
  ".mypy_cache",
  ".ruff_cache",
  ".venv",
  "venv",
  "__pycache__",
  "node_modules",
  "target",
  "coverage",
]);

/** What editors leave beside the file being written: Vim's probe and swap files, Emacs' locks, backups. */
const editorFile = /^4913$|^\.#|^#.*#$|~$|\.sw[a-z]$|^\.DS_Store$/;

/** Files that package managers write into node_modules when an installation is complete. */
const installed = new Set([".package-lock.json", ".yarn-state.yml", ".yarn-integrity", ".modules.yaml"]);

export interface Watched {
  /** Folders looked at with everything below them. */
  readonly trees: readonly string[];
  /** Folders looked at without what is below them. */
  readonly folders: readonly string[];
  /** Single files; their folders are watched, since editors replace files rather than write to them. */
  readonly files: readonly string[];
}

export interface FileWatch {
  /** Watches these from now on, and no longer what they leave out. */
  update(watched: Watched): Promise<void>;
  close(): void;
}

/**
 * Tells of changed files, gathered until nothing has changed for `quietMs`: one save is several events (truncate, write,
 * rename), and an installation thousands. One watch per folder, because recursive ones would count node_modules in.
 */
export function watchFiles(quietMs: number, changed: (files: readonly string[]) => void): FileWatch {
  const watches = new Map<string, FSWatcher>();
  const gathered = new Set<string>();
  let watched: Watched = { trees: [], folders: [], files: [] };
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  const note = (file: string): void => {
    gathered.add(file);
    clearTimeout(timer);
    timer = setTimeout(() => {
      const files = [...gathered];
      gathered.clear();
      changed(files);
    }, quietMs);
  };

  const seen = (folder: string, kind: string, name: string | null): void => {
    if (name === null || editorFile.test(name)) return;
    const file = join(folder, name);
    if (folder.endsWith("/node_modules")) {
      if (installed.has(name)) note(file);
      return;
    }
    const inTree = watched.trees.some((tree) => folder === tree || folder.startsWith(`${tree}/`));
    // A new folder has to be watched, and node_modules may have appeared or gone.
    if (kind === "rename" && inTree) void refresh();
    if (inTree || watched.folders.includes(folder) ? !ignoredFolders.has(name) : watched.files.includes(file))
      note(file);
  };

  const refresh = async (): Promise<void> => {
    const wanted = new Set([...watched.folders, ...watched.files.map((file) => dirname(file))]);
    for (const tree of watched.trees) for (const folder of await foldersOf(tree)) wanted.add(folder);
    if (closed) return;
    for (const [folder, watcher] of watches)
      if (!wanted.has(folder)) {
        watcher.close();
        watches.delete(folder);
      }
    for (const folder of wanted) if (!watches.has(folder)) add(folder);
  };

  const add = (folder: string): void => {
    try {
      const watcher = watch(folder, (kind, name) => seen(folder, kind, name));
      // The folder itself has gone; the folder above tells of that.
      watcher.on("error", () => {
        watcher.close();
        watches.delete(folder);
      });
      watches.set(folder, watcher);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "ENOSPC")
        throw new Error(
          `cannot watch "${folder}": this machine's limit of file watches is reached; raise fs.inotify.max_user_watches`,
          { cause: error },
        );
      if (code !== "ENOENT" && code !== "ENOTDIR") throw error;
    }
  };

  return {
    async update(next) {
      watched = next;
      await refresh();
    },
    close() {
      closed = true;
      clearTimeout(timer);
      for (const watcher of watches.values()) watcher.close();
      watches.clear();
    },
  };
}

/** The folder and those below it that may hold source; node_modules itself too, for the mark of an installation. */
async function foldersOf(tree: string): Promise<readonly string[]> {
  const found = [tree];
  const walk = async (folder: string): Promise<void> => {
    const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT" || error.code === "EACCES" || error.code === "ENOTDIR") return [];
      throw error;
    });
    for (const entry of entries) {
      if (!entry.isDirectory()) continue;
      const path = join(folder, entry.name);
      if (entry.name === "node_modules") found.push(path);
      if (ignoredFolders.has(entry.name)) continue;
      found.push(path);
      await walk(path);
    }
  };
  await walk(tree);
  return found;
}
