import { failure, type ApiError } from "../../api/meta/errors.ts";

/** Primary SQLite result codes (https://sqlite.org/rescode.html): the low byte of `errcode`. */
const sqlite = { busy: 5, readonly: 8, ioError: 10, corrupt: 11, full: 13, cantOpen: 14, notADatabase: 26 } as const;

const primaryCode = (error: unknown): number | undefined => {
  const code = (error as { errcode?: unknown } | null)?.errcode;
  return typeof code === "number" ? code & 0xff : undefined;
};

const openReasons: Readonly<Record<number, string>> = {
  [sqlite.busy]: "another process has it open; stop that one or use another data directory",
  [sqlite.readonly]: "it cannot be written; check the permissions of the data directory",
  [sqlite.ioError]: "the disk gave an I/O error",
  [sqlite.corrupt]: "it is damaged; restore a copy, or move it away to start empty",
  [sqlite.full]: "the disk is full",
  [sqlite.cantOpen]: "it cannot be created or opened; check that the data directory exists and is writable",
  [sqlite.notADatabase]: "it is not a SQLite database; move it away to start empty",
};

/** Why the state file cannot be used, in words for the user who started ebb. */
export function openFailure(path: string, error: unknown): Error {
  const code = primaryCode(error);
  const why =
    (code === undefined ? undefined : openReasons[code]) ?? (error instanceof Error ? error.message : "unknown");
  return new Error(`cannot open the state file "${path}": ${why}`, { cause: error });
}

/** A failed append as the Status its caller gets; nothing of it is stored or seen by anybody. */
export function writeFailure(error: unknown): ApiError | unknown {
  switch (primaryCode(error)) {
    case sqlite.full:
      return failure(507, "InsufficientStorage", "the disk is full: nothing was written; free space and try again");
    case sqlite.readonly:
    case sqlite.ioError:
      return failure(500, "InternalError", "the state file cannot be written: nothing was written; check the disk");
    default:
      return error;
  }
}
