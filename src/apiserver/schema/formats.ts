/** The string formats that CustomResourceDefinitions may ask for (apiextensions-apiserver validation/formats.go). */
import { isIP, isIPv4, isIPv6 } from "node:net";
import { parseDurationNs } from "../../api/meta/duration.ts";
import { parseTime } from "../../api/meta/time.ts";

const hostname = /^(?=.{1,255}$)(?!-)[a-z0-9-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9-]{1,63}(?<!-))*\.?$/i;
const uuid = (version: string): RegExp =>
  new RegExp(`^[0-9a-f]{8}-?[0-9a-f]{4}-?${version}[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}$`, "i");
const matches =
  (pattern: RegExp) =>
  (text: string): boolean =>
    pattern.test(text);

/** JavaScript takes 31 February for 3 March; nobody else does. */
function isDate(text: string): boolean {
  const ms = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text);
}

const isDateTime = (text: string): boolean => parseTime(text) !== undefined && isDate(text.slice(0, 10));

function isCidr(text: string): boolean {
  const [address = "", bits = "", ...rest] = text.split("/");
  if (rest.length > 0 || !/^\d{1,3}$/.test(bits)) return false;
  const family = isIP(address);
  return family !== 0 && Number(bits) <= (family === 4 ? 32 : 128);
}

const checks: Readonly<Record<string, (text: string) => boolean>> = {
  "date-time": isDateTime,
  date: isDate,
  duration: (text) => parseDurationNs(text) !== undefined,
  email: matches(/^[^\s@<>()[\],;:\\"]+@[^\s@]+$/),
  hostname: matches(hostname),
  ipv4: isIPv4,
  ipv6: isIPv6,
  cidr: isCidr,
  mac: matches(/^(?:[0-9a-f]{2}([:-])(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}|[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4})$/i),
  uri: (text) => URL.canParse(text),
  byte: matches(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/),
  uuid: matches(uuid("[0-9a-f]")),
  uuid3: matches(uuid("3")),
  uuid4: matches(uuid("4")),
  uuid5: matches(uuid("5")),
  hexcolor: matches(/^#?(?:[0-9a-f]{3}|[0-9a-f]{6})$/i),
  bsonobjectid: matches(/^[0-9a-f]{24}$/i),
};

/** Whether a text has a format; formats nobody knows are not checked. */
export function hasFormat(text: string, format: string): boolean {
  return Object.hasOwn(checks, format) ? (checks[format]?.(text) ?? true) : true;
}
