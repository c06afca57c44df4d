/** What system calls say when a disk is in the way, and what to do about it. */
const remedies: Readonly<Record<string, (path: string) => string>> = {
  ENOSPC: (path) => `the disk that holds ${path} is full; free space and try again`,
  EDQUOT: (path) => `your disk quota is used up at ${path}; free space and try again`,
  EROFS: (path) => `${path} is on a file system mounted read-only; use another data directory (--data)`,
  EACCES: (path) => `you may not use ${path}; run as its owner, or use another data directory (--data)`,
};

/**
 * A failed file operation in words for the user, also when it is the cause of another error; undefined for every other
 * error. What was being written is not there: files appear whole or not at all.
 */
export function explainDiskFailure(error: unknown): string | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    const { code = "", path } = at as NodeJS.ErrnoException;
    const remedy = remedies[code];
    if (remedy) return remedy(path ?? "the data directory");
  }
  return undefined;
}
