import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Logger } from "../../../telemetry/logger.ts";
import { ContainerStartError, type PodNetwork } from "../../runtime.ts";
import { formatBlock, freeBlock, parseBlock, parseRoutes, toAddress, type AddressBlock } from "./address-block.ts";
import { runCommand } from "./run-command.ts";

/** A pod's network as the OCI runtime needs it. */
export interface OciPodNetwork extends PodNetwork {
  /** Path of the network namespace to join; undefined when {@link enter} puts the runtime into it already. */
  readonly namespace: string | undefined;
  /** Words before every command of the runtime that has to do with this pod. */
  readonly enter: readonly string[];
}

/**
 * Gives pods a network namespace each, joined to this machine by a pair of virtual Ethernet ends and a route: every
 * pod has an address of its own that this machine and the other pods reach, and no bridge or daemon is needed.
 * Needs root and iproute2.
 */
export interface PodNetworks {
  open(): Promise<OciPodNetwork>;
  /** Removes what an earlier ebb on this data directory left; before the first open. */
  sweep(): Promise<void>;
  close(): Promise<void>;
}

/** The machine's end of every pair; link-local, and the same for all, since each is alone on its link. */
const gateway = "169.254.77.1";

export function createPodNetworks(dataDir: string, { log }: { readonly log: Logger }): PodNetworks {
  const tag = createHash("sha256").update(dataDir).digest("hex").slice(0, 5);
  const file = join(dataDir, "run", "network");
  const used = new Set<number>();
  let block: Promise<AddressBlock> | undefined;
  let next = 1;

  async function takeBlock(): Promise<AddressBlock> {
    const routes = await ip(["-4", "route", "show", "table", "all"]);
    const found = freeBlock(parseRoutes(routes), Number.parseInt(tag, 16));
    if (!found)
      throw new ContainerStartError("CreateContainerError", "no free block of addresses for pods in 10.192.0.0/10");
    // Holds the block against other ebbs, and answers at once for addresses of pods that are gone.
    await ip(["route", "add", "unreachable", formatBlock(found)]);
    mkdirSync(join(dataDir, "run"), { recursive: true });
    writeFileSync(file, formatBlock(found));
    await letOut(tag, found, log);
    return found;
  }

  function takeNumber(): number {
    for (let tries = 0; tries < 254; tries++) {
      const n = ((next++ - 1) % 254) + 1;
      if (!used.has(n)) {
        used.add(n);
        return n;
      }
    }
    throw new ContainerStartError(
      "CreateContainerError",
      "all 254 addresses for pods with a network of their own are taken",
    );
  }

  return {
    async open() {
      const { base } = await (block ??= takeBlock().catch((error: unknown) => {
        block = undefined;
        throw error;
      }));
      const number = takeNumber();
      const [name, link, address] = [`ebb-${tag}-${number}`, `ebb${tag}${number}`, toAddress(base + number)];
      try {
        await ip(
          ["-batch", "-"],
          `netns add ${name}\nlink add ${link} type veth peer name eth0 netns ${name}\naddr add ${gateway}/32 dev ${link}\nlink set ${link} up\nroute add ${address}/32 dev ${link}\n`,
        );
        await ip(
          ["-n", name, "-batch", "-"],
          `link set lo up\naddr add ${address}/32 dev eth0\nlink set eth0 up\nroute add ${gateway}/32 dev eth0\nroute add default via ${gateway} dev eth0\n`,
        );
      } catch (error) {
        await removeOne(name, link);
        used.delete(number);
        throw error;
      }
      let closed: Promise<void> | undefined;
      return {
        ip: address,
        address: (port) => ({ host: address, port }),
        namespace: `/run/netns/${name}`,
        enter: [],
        close: () =>
          (closed ??= removeOne(name, link).then(() => {
            used.delete(number);
          })),
      };
    },

    async sweep() {
      const left = parseBlock(readText(file));
      if (!left) return;
      const { stdout } = await runCommand("ip", ["netns", "list"]);
      const mine = stdout.split("\n").flatMap((line) => line.match(new RegExp(`^ebb-${tag}-(\\d+)`))?.[1] ?? []);
      for (const number of mine) await removeOne(`ebb-${tag}-${number}`, `ebb${tag}${number}`);
      await forget(tag, left);
    },

    async close() {
      const taken = await block?.catch(() => undefined);
      if (taken) await forget(tag, taken);
    },
  };
}

/** Deleting the namespace takes its end of the pair along, and with it ours; the link alone is left by half a start. */
async function removeOne(name: string, link: string): Promise<void> {
  await runCommand("ip", ["netns", "delete", name]);
  await runCommand("ip", ["link", "delete", link]);
}

async function forget(tag: string, block: AddressBlock): Promise<void> {
  await runCommand("ip", ["route", "delete", "unreachable", formatBlock(block)]);
  await runCommand("nft", ["delete", "table", "ip", `ebb_${tag}`]);
}

/**
 * Lets pods reach what this machine reaches: forwarding on, and their addresses hidden behind the machine's. Without
 * nft(8) pods still reach this machine and each other.
 */
async function letOut(tag: string, block: AddressBlock, log: Logger): Promise<void> {
  try {
    writeFileSync("/proc/sys/net/ipv4/ip_forward", "1");
  } catch (error) {
    log.warn("pods reach only this machine: forwarding cannot be turned on", { err: error });
    return;
  }
  const from = formatBlock(block);
  const rules = `table ip ebb_${tag} {
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr ${from} ip daddr != ${from} masquerade
  }
}
`;
  const { code, stderr } = await runCommand("nft", ["-f", "-"], rules);
  if (code !== 0)
    log.info("pods reach this machine and each other only: install nftables for more", { reason: stderr.trim() });
}

async function ip(args: readonly string[], input?: string): Promise<string> {
  const { code, stdout, stderr } = await runCommand("ip", args, input);
  if (code === 0) return stdout;
  const why = code === 127 ? "the program ip is missing: install the package iproute2" : stderr.trim();
  throw new ContainerStartError("CreateContainerError", `the pod's network cannot be made: ${why}`);
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
