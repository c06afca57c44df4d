import { execFile } from "node:child_process";
import { isIP } from "node:net";
import { promisify } from "node:util";
import type { Service } from "../../api/serving/types.gen.ts";
import type { HttpClient } from "../../client/http-client.ts";
import { textOption, type CommandContext, type CommandInput } from "../command.ts";
import { findRouterWay } from "./router-way.ts";

/** How to reach a service of a cluster from here; nothing where its name leads to the router by itself. */
export async function wayWords(
  context: CommandContext,
  input: CommandInput,
  of: { readonly client: HttpClient; readonly service: Service },
): Promise<readonly string[]> {
  const { metadata, status } = of.service;
  if (status?.url === undefined) return [];
  const url = new URL(status.url);
  const flags = ["kubeconfig", "context", "namespace"].flatMap((name) => {
    const value = textOption(input, name);
    return value === undefined ? [] : [`--${name} ${value}`];
  });
  const invoke = ["ebb invoke", metadata.name, ...flags].join(" ");
  if (url.hostname.endsWith(".svc.cluster.local") || url.hostname.endsWith(".svc"))
    return [`only the cluster reaches it: ${url.href}`];
  try {
    const way = await findRouterWay(of.client, url, context.signal);
    if (!way.isPublic) return [`call it with "${invoke}", through ${way.words}: the router has no address here`];
    const { hostname } = new URL(way.origin);
    if (hostname === url.hostname || (await resolvesTo(url.hostname, hostname))) return [];
    return [
      `${url.hostname} does not lead to the router yet; call it with "${invoke}", or`,
      `  ${curl(way.origin, url)}`,
    ];
  } catch (error) {
    if (context.signal.aborted) throw error;
    // It is ready; where it can be reached is advice.
    return [`call it with "${invoke}" (${error instanceof Error ? error.message : error})`];
  }
}

const curl = (origin: string, url: URL): string =>
  url.protocol === "https:"
    ? `curl --connect-to ${url.host}:443:${new URL(origin).host} ${url.href}`
    : `curl -H "Host: ${url.host}" ${origin}/`;

/** A resolver that is not answered keeps asking for many seconds, and what it is asked for is often a made-up name. */
const lookupMs = 2000;

/**
 * Asks as every other program here would, in a process of its own: a look-up that is under way cannot be broken off, and
 * this one would wait for it to the end.
 */
async function addressesOf(name: string): Promise<readonly string[]> {
  const script =
    'require("node:dns").lookup(process.argv[1], { all: true }, (e, all) => console.log((all ?? []).map((a) => a.address).join()))';
  const options = { timeout: lookupMs, killSignal: "SIGKILL" } as const;
  const { stdout } = await promisify(execFile)(process.execPath, ["-e", script, name], options);
  return stdout.trim().split(",").filter(Boolean);
}

async function resolvesTo(name: string, address: string): Promise<boolean> {
  try {
    const [found, wanted] = await Promise.all([addressesOf(name), isIP(address) ? [address] : addressesOf(address)]);
    return found.some((one) => wanted.includes(one));
  } catch {
    return false;
  }
}
