/** What the sources of this group of kinds have checked in common: Secrets, addresses, counts, durations. */
import { parseDuration } from "../meta/duration.ts";
import { invalidValue, missingField, outOfBounds, within, type Problems } from "../serving/problems.ts";
import { checkSecretValue } from "./message-source.ts";
import type { SecretValue, ServerTls } from "./types-stores.gen.ts";

export const checkRequiredSecret = (value: SecretValue | undefined, path: string): Problems =>
  value ? checkSecretValue(path, value) : [missingField(path)];

export const checkTls = (tls: ServerTls | undefined, path: string): Problems =>
  tls ? within(path, checkCertificateSecrets(tls)) : [];

/** A certificate to show needs its key, and the other way round. */
export const checkCertificateSecrets = ({ caCert, cert, key }: ServerTls): Problems => [
  ...checkSecretValue("caCert", caCert),
  ...checkSecretValue("cert", cert),
  ...checkSecretValue("key", key),
  ...(cert && !key ? [missingField("key")] : []),
  ...(key && !cert ? [missingField("cert")] : []),
];

/** An absolute URL of one of the schemes, without a password in it: what is in a spec may be read by many. */
export function checkUrl(url: string | undefined, path: string, schemes: readonly string[]): Problems {
  if (!url) return [missingField(path)];
  const parsed = URL.parse(url);
  const wanted = schemes.map((scheme) => `${scheme}://`).join(", ");
  if (!parsed || !schemes.includes(parsed.protocol.slice(0, -1)) || parsed.host === "")
    return [invalidValue(url, path, `must be a URL that begins with ${wanted}`)];
  if (parsed.password !== "") {
    parsed.password = "xxx";
    return [invalidValue(parsed.href, path, "a password does not belong here: keep it in a Secret")];
  }
  return [];
}

export const checkRange = (
  value: number | undefined,
  path: string,
  [lower, upper]: readonly [number, number],
): Problems =>
  value === undefined || (value >= lower && value <= upper) ? [] : [outOfBounds(value, lower, upper, path)];

export const checkWord = (word: string | undefined, path: string, words: readonly string[]): Problems =>
  word === undefined || word === "" || words.includes(word)
    ? []
    : [invalidValue(word, path, `must be one of ${words.join(", ")}`)];

/** A Go duration of at least so many milliseconds. */
export function checkGoDuration(text: string | undefined, path: string, leastMs: number): Problems {
  if (!text) return [];
  const ms = parseDuration(text);
  if (ms === undefined) return [invalidValue(text, path, "must be a duration such as 500ms, 30s or 1h")];
  return ms < leastMs ? [invalidValue(text, path, `must be ${leastMs} ms at least`)] : [];
}

/** Names of a list that must not be empty. */
export const checkNames = (names: readonly string[] | undefined, path: string): Problems => [
  ...(!names || names.length === 0 ? [missingField(path)] : []),
  ...(names ?? []).flatMap((name, at) => (name === "" ? [missingField(`${path}[${at}]`)] : [])),
];
