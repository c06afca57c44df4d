import { inflateRawSync } from "node:zlib";

/**
 * The main section of a jar's META-INF/MANIFEST.MF (JAR File Specification), by name. Empty when it has none. Reads
 * the zip's central directory (APPNOTE.TXT 4.3.12), where sizes stand even when entries were streamed.
 */
export function readJarManifest(jar: Buffer): Readonly<Record<string, string>> {
  const end = jar.lastIndexOf(Buffer.from("PK\x05\x06", "latin1"));
  if (end < 0) return {};
  let at = jar.readUInt32LE(end + 16);
  for (let left = jar.readUInt16LE(end + 10); left > 0; left--) {
    const nameSize = jar.readUInt16LE(at + 28);
    if (jar.toString("utf8", at + 46, at + 46 + nameSize) === "META-INF/MANIFEST.MF") return parse(entryText(jar, at));
    at += 46 + nameSize + jar.readUInt16LE(at + 30) + jar.readUInt16LE(at + 32);
  }
  return {};
}

function entryText(jar: Buffer, at: number): string {
  const method = jar.readUInt16LE(at + 10);
  const size = jar.readUInt32LE(at + 20);
  const local = jar.readUInt32LE(at + 42);
  const from = local + 30 + jar.readUInt16LE(local + 26) + jar.readUInt16LE(local + 28);
  const bytes = jar.subarray(from, from + size);
  return (method === 8 ? inflateRawSync(bytes, { maxOutputLength: 1 << 20 }) : bytes).toString("utf8");
}

function parse(text: string): Readonly<Record<string, string>> {
  const [main = ""] = text.split(/\r?\n\r?\n/);
  const lines = main.replaceAll(/\r?\n /g, "").split(/\r?\n/);
  return Object.fromEntries(
    lines.filter((line) => line.includes(": ")).map((line) => line.split(/: (.*)/s).slice(0, 2) as [string, string]),
  );
}
