/** The values that Kubernetes adds to CEL (apiserver pkg/cel/library): quantities, URLs, addresses, versions. */
import { BlockList, isIP } from "node:net";
import {
  addQuantities,
  compareQuantities,
  parseQuantity,
  quantityNumber,
  readQuantity,
  subtractQuantities,
  type Quantity,
} from "../../api/meta/quantity.ts";

export class QuantityValue {
  readonly quantity: Quantity;
  constructor(quantity: Quantity) {
    this.quantity = quantity;
  }
}

export class UrlValue {
  readonly url: URL;
  constructor(url: URL) {
    this.url = url;
  }
}

export class IpValue {
  readonly text: string;
  readonly family: 4 | 6;
  constructor(text: string, family: 4 | 6) {
    this.text = text;
    this.family = family;
  }
}

export class CidrValue {
  readonly address: IpValue;
  readonly prefixLength: number;
  constructor(address: IpValue, prefixLength: number) {
    this.address = address;
    this.prefixLength = prefixLength;
  }
}

export class SemverValue {
  readonly parts: readonly [major: number, minor: number, patch: number];
  readonly pre: string;
  constructor(parts: readonly [number, number, number], pre: string) {
    this.parts = parts;
    this.pre = pre;
  }
}

export const isQuantity = (text: string): boolean => readQuantity(text).ok;
export const quantity = (text: string): QuantityValue => new QuantityValue(parseQuantity(text));
export const compareQuantityValues = (a: QuantityValue, b: QuantityValue): number =>
  compareQuantities(a.quantity, b.quantity);
export const addToQuantity = (a: QuantityValue, b: QuantityValue): QuantityValue =>
  new QuantityValue(addQuantities(a.quantity, b.quantity));
export const subtractFromQuantity = (a: QuantityValue, b: QuantityValue): QuantityValue =>
  new QuantityValue(subtractQuantities(a.quantity, b.quantity));
export const quantityAsNumber = ({ quantity }: QuantityValue): number => quantityNumber(quantity);

/** Go's url.ParseRequestURI: absolute, or a path from the root. */
export function parseUrl(text: string): UrlValue | undefined {
  if (!/^[A-Za-z][A-Za-z0-9+.-]*:|^\//.test(text)) return undefined;
  const base = text.startsWith("/") ? "none://" : undefined;
  return URL.canParse(text, base) ? new UrlValue(new URL(text, base)) : undefined;
}

export function parseIp(text: string): IpValue | undefined {
  const family = isIP(text);
  return family === 4 || family === 6 ? new IpValue(text, family) : undefined;
}

export function parseCidr(text: string): CidrValue | undefined {
  const [address = "", bits = "", ...rest] = text.split("/");
  const ip = parseIp(address);
  const length = Number(bits);
  if (!ip || rest.length > 0 || !/^\d{1,3}$/.test(bits) || length > (ip.family === 4 ? 32 : 128)) return undefined;
  return new CidrValue(ip, length);
}

export function cidrContains(cidr: CidrValue, ip: IpValue): boolean {
  if (cidr.address.family !== ip.family) return false;
  const family = ip.family === 4 ? "ipv4" : "ipv6";
  const list = new BlockList();
  list.addSubnet(cidr.address.text, cidr.prefixLength, family);
  return list.check(ip.text, family);
}

const semverPattern = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?$/;

export function parseSemver(text: string): SemverValue | undefined {
  const match = semverPattern.exec(text);
  if (!match) return undefined;
  return new SemverValue([Number(match[1]), Number(match[2]), Number(match[3])], match[4] ?? "");
}

export function compareSemver(a: SemverValue, b: SemverValue): number {
  for (const [index, part] of a.parts.entries()) if (part !== b.parts[index]) return part - (b.parts[index] ?? 0);
  if (a.pre === b.pre) return 0;
  if (a.pre === "" || b.pre === "") return a.pre === "" ? 1 : -1;
  return comparePre(a.pre.split("."), b.pre.split("."));
}

/** semver.org rule 11: numeric parts by value and below texts, fewer parts below more. */
function comparePre(a: readonly string[], b: readonly string[]): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const [left, right] = [a[i], b[i]];
    if (left === undefined || right === undefined) return left === undefined ? -1 : 1;
    if (left === right) continue;
    const [numericLeft, numericRight] = [/^\d+$/.test(left), /^\d+$/.test(right)];
    if (numericLeft && numericRight) return Number(left) - Number(right);
    if (numericLeft !== numericRight) return numericLeft ? -1 : 1;
    return left < right ? -1 : 1;
  }
  return 0;
}
