/** Address blocks such as `10.0.0.0/8` or `2001:db8::/64`. */
import { isIP } from "node:net";

interface Block {
  readonly bits: bigint;
  readonly prefix: number;
  readonly width: 32 | 128;
}

/** The complaint of upstream about text that is no block. */
export const cidrText = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";

export function isCidr(text: string): boolean {
  return parseBlock(text) !== undefined;
}

/** Whether `inner` lies in `outer` and is smaller than it. False when one of them is no block. */
export function isStrictlyInside(inner: string, outer: string): boolean {
  const [small, big] = [parseBlock(inner), parseBlock(outer)];
  if (!small || !big || small.width !== big.width || small.prefix <= big.prefix) return false;
  const shift = BigInt(big.width - big.prefix);
  return small.bits >> shift === big.bits >> shift;
}

function parseBlock(text: string): Block | undefined {
  const [ip = "", length, ...rest] = text.split("/");
  const family = isIP(ip);
  if (family === 0 || rest.length > 0 || !/^\d{1,3}$/.test(length ?? "")) return undefined;
  const width = family === 4 ? 32 : 128;
  const prefix = Number(length);
  if (prefix > width) return undefined;
  return { bits: family === 4 ? bitsOf4(ip) : bitsOf6(ip), prefix, width };
}

function bitsOf4(ip: string): bigint {
  return ip.split(".").reduce((bits, part) => (bits << 8n) | BigInt(part), 0n);
}

function bitsOf6(ip: string): bigint {
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(ip);
  const low = dotted ? bitsOf4(dotted[2] ?? "") : 0n;
  const text = dotted ? `${dotted[1]}${(low >> 16n).toString(16)}:${(low & 0xffffn).toString(16)}` : ip;
  const [head = "", tail] = text.split("::", 2);
  const left = head.split(":").filter(Boolean);
  const right = (tail ?? "").split(":").filter(Boolean);
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length;
  const groups = [...left, ...Array.from({ length: zeros }, () => "0"), ...right];
  return groups.reduce((bits, group) => (bits << 16n) | BigInt(`0x${group}`), 0n);
}
