/**
 * Addresses that a request on behalf of a stranger must not reach: whoever may call a function may name a callback, and
 * ebb would knock for them at doors that are only open to this machine or to a cloud's instance.
 */
import { lookup as systemLookup, type LookupAddress, type LookupOptions } from "node:dns";
import { BlockList, isIP, type LookupFunction } from "node:net";

const linkLocal = new BlockList();
// Metadata services of clouds are among them: 169.254.169.254, fd00:ec2::254; Alibaba's is 100.100.100.200.
linkLocal.addSubnet("169.254.0.0", 16, "ipv4");
linkLocal.addSubnet("fe80::", 10, "ipv6");
linkLocal.addAddress("fd00:ec2::254", "ipv6");
linkLocal.addAddress("100.100.100.200", "ipv4");

const ownMachine = new BlockList();
ownMachine.addSubnet("127.0.0.0", 8, "ipv4");
ownMachine.addSubnet("0.0.0.0", 8, "ipv4");
ownMachine.addAddress("::1", "ipv6");
ownMachine.addAddress("::", "ipv6");

export interface AddressRule {
  /** This machine's own loopback addresses may be reached: nobody but its users can ask. */
  readonly loopback: boolean;
}

/** Why an IP address may not be reached; undefined when it may. */
export function refusedAddress(address: string, rule: AddressRule): string | undefined {
  const family = isIP(address) === 6 ? "ipv6" : "ipv4";
  // BlockList compares the IPv4 address within ::ffff:0:0/96 with rules for IPv4 by itself.
  if (linkLocal.check(address, family)) return `${address} is a link-local or metadata address`;
  if (!rule.loopback && ownMachine.check(address, family)) return `${address} is this machine itself`;
  return undefined;
}

/** Why a URL may not be reached, as far as its text tells: names are looked up when they are connected to. */
export function refusedUrl({ hostname }: URL, rule: AddressRule): string | undefined {
  const host = hostname.startsWith("[") ? hostname.slice(1, -1) : hostname;
  return isIP(host) === 0 ? undefined : refusedAddress(host, rule);
}

/**
 * Looks a name up and refuses it when any of its addresses may not be reached. What is refused is what would be
 * connected to: a name cannot mean one address when it is checked and another one afterwards.
 */
export const guardedLookup =
  (rule: AddressRule, lookup: typeof systemLookup = systemLookup): LookupFunction =>
  (hostname, options, callback) => {
    const all: LookupOptions & { readonly all: true } = { ...options, all: true };
    lookup(hostname, all, (error: NodeJS.ErrnoException | null, found: LookupAddress[]) => {
      const [first] = found ?? [];
      if (error || !first) return callback(error ?? new Error(`${hostname} has no address`), "");
      for (const { address } of found) {
        const reason = refusedAddress(address, rule);
        if (reason !== undefined) return callback(new Error(`${hostname} may not be called back: ${reason}`), "");
      }
      if (options.all === true) callback(null, found);
      else callback(null, first.address, first.family);
    });
  };
