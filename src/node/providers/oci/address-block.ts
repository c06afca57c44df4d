/** An IPv4 network, `10.211.7.0/24`. */
export interface AddressBlock {
  /** As a number, host bits zero. */
  readonly base: number;
  readonly prefix: number;
}

/** Blocks of 256 addresses in 10.192.0.0/10, the part of private space that home and office networks use least. */
const pool: AddressBlock = { base: toNumber("10.192.0.0"), prefix: 10 };
const blockPrefix = 24;

export function toNumber(address: string): number {
  return address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
}

export const toAddress = (n: number): string => [24, 16, 8, 0].map((shift) => (n >>> shift) & 0xff).join(".");

export const formatBlock = ({ base, prefix }: AddressBlock): string => `${toAddress(base)}/${prefix}`;

/** Undefined when the text is not an IPv4 address or network; a single address is a /32. */
export function parseBlock(text: string): AddressBlock | undefined {
  const match = /^(\d{1,3}(?:\.\d{1,3}){0,3})(?:\/(\d{1,2}))?$/.exec(text);
  if (!match) return undefined;
  const parts = (match[1] ?? "").split(".");
  while (parts.length < 4) parts.push("0");
  const prefix = Number(match[2] ?? 32);
  const base = toNumber(parts.join("."));
  return { base: base - (base % 2 ** (32 - prefix)), prefix };
}

const sizeOf = ({ prefix }: AddressBlock): number => 2 ** (32 - prefix);

const overlaps = (a: AddressBlock, b: AddressBlock): boolean =>
  a.base < b.base + sizeOf(b) && b.base < a.base + sizeOf(a);

/**
 * A block that no route of this machine leads to, from `seed` on so that two ebbs seldom ask for the same one.
 * Undefined when all are taken.
 */
export function freeBlock(routes: readonly AddressBlock[], seed: number): AddressBlock | undefined {
  const count = 2 ** (blockPrefix - pool.prefix);
  const taken = routes.filter((route) => route.prefix > 0 && overlaps(route, pool));
  for (let n = 0; n < count; n++) {
    const block = { base: pool.base + ((seed + n) % count) * 2 ** (32 - blockPrefix), prefix: blockPrefix };
    if (!taken.some((route) => overlaps(route, block))) return block;
  }
  return undefined;
}

/** Destinations of `ip route show` for the main table, special types (`unreachable 10.0.0.0/24`) included. */
export function parseRoutes(text: string): readonly AddressBlock[] {
  return text.split("\n").flatMap((line) => {
    const words = line.trim().split(/\s+/);
    const destination = /^(unreachable|blackhole|prohibit|throw|local|broadcast)$/.test(words[0] ?? "")
      ? words[1]
      : words[0];
    return parseBlock(destination ?? "") ?? [];
  });
}
