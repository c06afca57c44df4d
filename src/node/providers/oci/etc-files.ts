import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

/**
 * The files an engine gives every container: who it is, and whom to ask for names. Returns where each appears in the
 * container. A resolver on this machine's loopback cannot be reached from a pod and is left out.
 */
export async function writeEtc(
  dir: string,
  { hostname, ip }: { readonly hostname: string; readonly ip: string },
): Promise<Readonly<Record<string, string>>> {
  const resolver = await readFile("/etc/resolv.conf", "utf8").catch(() => "");
  const lines = resolver.split("\n").filter((line) => !/^\s*nameserver\s+(127\.|::1\b)/.test(line));
  const files = {
    hostname: `${hostname}\n`,
    hosts: `127.0.0.1\tlocalhost\n::1\tlocalhost\n${ip}\t${hostname}\n`,
    "resolv.conf": `${lines.join("\n").trimEnd()}\n`,
  };
  await mkdir(dir, { recursive: true, mode: 0o755 });
  for (const [name, text] of Object.entries(files)) await writeFile(join(dir, name), text, { mode: 0o644 });
  return Object.fromEntries(Object.keys(files).map((name) => [`/etc/${name}`, join(dir, name)]));
}
