import { readdir, readFile, readlink } from "node:fs/promises";
import { sessionMembers } from "./session-members.ts";

/** State LISTEN in /proc/net/tcp. */
const listen = "0A";

/**
 * TCP ports that processes of a session listen on, ascending; undefined where /proc cannot tell. Finds the sockets a
 * process holds and looks them up among the listening ones.
 */
export async function listeningPorts(session: number): Promise<readonly number[] | undefined> {
  const members = sessionMembers(session);
  if (members === undefined) return undefined;
  const held = new Set<string>();
  for (const pid of members) for (const inode of await socketsOf(pid)) held.add(inode);
  const tables = ["tcp", "tcp6"].map((table) => readFile(`/proc/${session}/net/${table}`, "latin1").catch(() => ""));
  return parseListeningPorts(await Promise.all(tables), held);
}

/** Ports of the listening sockets in the texts of /proc/net/tcp and tcp6; only of `held` inodes if given. */
export function parseListeningPorts(tables: readonly string[], held?: ReadonlySet<string>): readonly number[] {
  const ports = new Set<number>();
  for (const line of tables.flatMap((text) => text.split("\n").slice(1))) {
    const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
    if (state !== listen || inode === undefined || held?.has(inode) === false) continue;
    ports.add(Number.parseInt(local?.split(":")[1] ?? "", 16));
  }
  return [...ports].sort((a, b) => a - b);
}

async function socketsOf(pid: number): Promise<string[]> {
  const dir = `/proc/${pid}/fd`;
  const names = await readdir(dir).catch(() => []);
  const links = await Promise.all(names.map((name) => readlink(`${dir}/${name}`).catch(() => "")));
  return links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []);
}
