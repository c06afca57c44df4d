import { readHead } from "../../build/read-head.ts";

/** What the head of an ELF file says (System V ABI, chapter 4). */
export interface Elf {
  /** In the image specification's words; `unknown` for processors ebb has no word for. */
  readonly architecture: string;
  /** A program, not a library or object file. */
  readonly executable: boolean;
  /** Path of the loader it asks for; absent when it is static. */
  readonly loader?: string;
}

const machines: Readonly<Record<number, string>> = {
  3: "386",
  22: "s390x",
  40: "arm",
  62: "amd64",
  183: "arm64",
  243: "riscv64",
};

/** The program headers and the loader's name stand in the first page of what linkers write. */
const headBytes = 4096;

/** Undefined when the file is no ELF file. Throws SourceError when it cannot be read. */
export function readElf(file: string): Elf | undefined {
  const head = readHead(file, headBytes);
  if (head.length < 52 || head.readUInt32BE(0) !== 0x7f454c46) return undefined;
  const wide = head[4] === 2;
  const little = head[5] === 1;
  const u16 = (at: number): number =>
    at + 2 > head.length ? 0 : little ? head.readUInt16LE(at) : head.readUInt16BE(at);
  const u32 = (at: number): number =>
    at + 4 > head.length ? 0 : little ? head.readUInt32LE(at) : head.readUInt32BE(at);
  // Offsets beyond 4 GiB do not occur in a program's head: the lower half of a 64-bit word is enough.
  const word = (at: number): number => (wide ? (little ? u32(at) : u32(at + 4)) : u32(at));
  const type = u16(16);
  const table = word(wide ? 32 : 28);
  const size = u16(wide ? 54 : 42);
  const count = u16(wide ? 56 : 44);
  const entries = Array.from({ length: count }, (_, i) => table + i * size);
  const interpreter = entries.find((at) => u32(at) === 3);
  const loader =
    interpreter === undefined
      ? undefined
      : textAt(head, word(interpreter + (wide ? 8 : 4)), word(interpreter + (wide ? 32 : 16)));
  return {
    architecture: machines[u16(18)] ?? "unknown",
    // Position-independent programs have the type of libraries; an entry address tells them apart.
    executable: type === 2 || (type === 3 && word(24) !== 0),
    ...(loader === undefined ? {} : { loader }),
  };
}

const textAt = (head: Buffer, at: number, size: number): string =>
  head.toString("latin1", at, at + size).replace(/\0.*$/s, "");
