import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

interface Entry {
  readonly path: string;
  readonly mode: number;
  /** Undefined for a directory. */
  readonly content: Buffer | undefined;
}

const block = 512;

/**
 * Unpacks what a plain tar (POSIX ustar) has below a directory, in one turn and without the thread pool: a function of
 * a few kilobytes is there in half a millisecond, where the general way takes eight. False, with nothing written, for a
 * tar with anything but files and directories under plain names: links, whiteouts, long names, compression. Only over
 * what this function alone has written, so that no name leads through a link.
 */
export function unpackQuickly(tar: Buffer, below: string, root: string): boolean {
  const entries = readEntries(tar, below);
  if (!entries) return false;
  for (const { path, mode, content } of entries) {
    const to = join(root, path);
    if (content === undefined) mkdirSync(to, { recursive: true, mode: mode | 0o700 });
    else {
      mkdirSync(dirname(to), { recursive: true });
      writeFileSync(to, content, { mode: mode | 0o400 });
    }
  }
  return true;
}

function readEntries(tar: Buffer, below: string): readonly Entry[] | undefined {
  const entries: Entry[] = [];
  const files = new Set<string>();
  for (let at = 0; at + block <= tar.length;) {
    const header = tar.subarray(at, at + block);
    if (header.every((byte) => byte === 0)) return entries;
    const facts = readHeader(header);
    const start = at + block;
    if (!facts || start + facts.size > tar.length) return undefined;
    at = start + Math.ceil(facts.size / block) * block;
    const { name, isFile, mode, size } = facts;
    if (name === below || !name.startsWith(`${below}/`)) continue;
    const path = name.slice(below.length + 1);
    // A file where a directory was, or twice: the general way knows what that means.
    if (files.has(path) || parentsOf(path).some((parent) => files.has(parent))) return undefined;
    if (isFile) files.add(path);
    entries.push({ path, mode, content: isFile ? tar.subarray(start, start + size) : undefined });
  }
  // It ends with blocks of zeros, or is cut off.
  return undefined;
}

function parentsOf(path: string): readonly string[] {
  const parents: string[] = [];
  for (let at = path.indexOf("/"); at >= 0; at = path.indexOf("/", at + 1)) parents.push(path.slice(0, at));
  return parents;
}

function readHeader(header: Buffer) {
  const text = (from: number, to: number): string => header.toString("utf8", from, to).split("\0", 1)[0] ?? "";
  const octal = (from: number, to: number): number => Number.parseInt(text(from, to).trim() || "0", 8);
  let sum = 8 * 32;
  for (let i = 0; i < block; i++) if (i < 148 || i >= 156) sum += header[i] ?? 0;
  const type = text(156, 157) || "0";
  if (text(257, 262) !== "ustar" || octal(148, 156) !== sum || (type !== "0" && type !== "5")) return undefined;
  const prefix = text(345, 500);
  const name = `${prefix === "" ? "" : `${prefix}/`}${text(0, 100)}`.replace(/^\.?\/+/, "").replace(/\/$/, "");
  const [mode, size] = [octal(100, 108) & 0o777, octal(124, 136)];
  const parts = name.split("/");
  if (
    !Number.isSafeInteger(size) ||
    parts.some((part) => part === "" || part === "." || part === ".." || part.startsWith(".wh."))
  )
    return undefined;
  return { name, isFile: type === "0", mode, size: type === "0" ? size : 0 };
}
