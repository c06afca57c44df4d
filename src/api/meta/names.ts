/**
 * What names and keys may look like, with the texts Kubernetes rejects others with
 * (apimachinery pkg/util/validation/validation.go and pkg/api/validate/content/kube.go).
 * Every check returns the list of complaints, empty when the value is good.
 */
import { randomInt } from "node:crypto";

type Check = (value: string) => readonly string[];

const ok: readonly string[] = [];

/** Length limits count bytes; names are ASCII once their pattern holds, so code units do for the rest. */
const byteLength = (value: string): number => Buffer.byteLength(value);

function patternText(message: string, pattern: string, ...examples: readonly string[]): string {
  const eg = examples.map((example) => `'${example}', `).join(" or ");
  return examples.length === 0
    ? `${message} (regex used for validation is '${pattern}')`
    : `${message} (e.g. ${eg}regex used for validation is '${pattern}')`;
}

/** `must be between 1 and 65535, inclusive`. */
export const rangeText = (min: number | bigint, max: number | bigint): string =>
  `must be between ${min} and ${max}, inclusive`;

interface PatternRule {
  readonly pattern: string;
  readonly message: string;
  readonly examples: readonly string[];
  readonly maxLength?: number;
}

function patternCheck({ pattern, message, examples, maxLength }: PatternRule): Check {
  const regexp = new RegExp(`^(?:${pattern})$`);
  const text = patternText(message, pattern, ...examples);
  return (value) => {
    const short = maxLength === undefined || byteLength(value) <= maxLength;
    if (short && regexp.test(value)) return ok;
    return [...(short ? [] : [`must be no more than ${maxLength} characters`]), ...(regexp.test(value) ? [] : [text])];
  };
}

const label = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const subdomain = `${label}(\\.${label})*`;
const subdomainRegexp = new RegExp(`^${subdomain}$`);

const plainDnsLabel = patternCheck({
  pattern: label,
  message:
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
  examples: ["my-name", "123-abc"],
  maxLength: 63,
});

/** Namespaces, containers, volumes, Services: RFC 1123 label, ≤ 63. */
export const checkDnsLabel: Check = (value) => {
  const found = plainDnsLabel(value);
  if (found.length === 0 || !value.includes(".") || !subdomainRegexp.test(value)) return found;
  return [...found.slice(0, -1), "must not contain dots"];
};

/** Most object names: RFC 1123 subdomain, ≤ 253. */
export const checkDnsSubdomain: Check = patternCheck({
  pattern: subdomain,
  message:
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
  examples: ["example.com"],
  maxLength: 253,
});

/** RFC 1035 label: a DNS label that starts with a letter. */
export const checkDns1035Label: Check = patternCheck({
  pattern: "[a-z]([-a-z0-9]*[a-z0-9])?",
  message:
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
  examples: ["my-name", "abc-123"],
  maxLength: 63,
});

/** Hosts such as `*.example.com`. */
export const checkWildcardSubdomain: Check = patternCheck({
  pattern: `\\*\\.${subdomain}`,
  message:
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
  examples: ["*.example.com"],
  maxLength: 253,
});

/** RBAC names: anything that is one path segment (apimachinery pkg/api/validation/path/name.go). */
export const checkPathSegment: Check = (value) => {
  if (value === "." || value === "..") return [`may not be '${value}'`];
  return ["/", "%"].filter((part) => value.includes(part)).map((part) => `may not contain '${part}'`);
};

const labelName = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const labelNameRegexp = new RegExp(`^${labelName}$`);
const labelNameText = patternText(
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  labelName,
  "MyName",
  "my.name",
  "123-abc",
);
const labelValueRegexp = new RegExp(`^(${labelName})?$`);
const labelValueText = patternText(
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  `(${labelName})?`,
  "MyValue",
  "my_value",
  "12345",
);

/** `[prefix/]name`: keys of labels and annotations, and other qualified names. */
export const checkLabelKey: Check = (value) => {
  if (value.length <= 63 && labelNameRegexp.test(value)) return ok;
  const parts = value.split("/");
  if (parts.length > 2)
    return [
      `a valid label key ${labelNameText} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  const name = parts.at(-1) ?? "";
  const found = parts.length === 2 ? checkPrefix(parts[0] ?? "") : [];
  if (name === "") found.push("name part must be non-empty");
  else if (byteLength(name) > 63) found.push("name part must be no more than 63 bytes");
  if (!labelNameRegexp.test(name)) found.push(`name part ${labelNameText}`);
  return found;
};

function checkPrefix(prefix: string): string[] {
  if (prefix === "") return ["prefix part must be non-empty"];
  return checkDnsSubdomain(prefix).map(
    (text) => `prefix part ${text.replace(/^(must be .*) characters$/, "$1 bytes")}`,
  );
}

/** A label's value: empty or ≤ 63 of the same characters as a name. */
export const checkLabelValue: Check = (value) => {
  const found = byteLength(value) > 63 ? ["must be no more than 63 bytes"] : [];
  if (!labelValueRegexp.test(value)) found.push(labelValueText);
  return found;
};

/** Names of container and Service ports (IANA service names). */
export const checkPortName: Check = (value) => {
  const found: string[] = [];
  if (byteLength(value) > 15) found.push("must be no more than 15 characters");
  if (!/^[-a-z0-9]+$/.test(value)) found.push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
  if (!/[a-z]/.test(value)) found.push("must contain at least one letter (a-z)");
  if (value.includes("--")) found.push("must not contain consecutive hyphens");
  if (value.startsWith("-") || value.endsWith("-")) found.push("must not begin or end with a hyphen");
  return found;
};

export const checkPortNumber = (port: number): readonly string[] =>
  Number.isInteger(port) && port >= 1 && port <= 65535 ? ok : [rangeText(1, 65535)];

/** Environment variable names: any printable ASCII but `=` (the relaxed rule, default since Kubernetes 1.32). */
export const checkEnvVarName: Check = (value) => {
  if (value === "") return ["environment variable name must be non-empty"];
  if (/^[ -<>-~]+$/.test(value)) return ok;
  return ["a valid environment variable name must consist only of printable ASCII characters other than '='"];
};

const configMapKeyPattern = patternCheck({
  pattern: "[-._a-zA-Z0-9]+",
  message: "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
  examples: ["key.name", "KEY_NAME", "key-name"],
  maxLength: 253,
});

/** Keys of ConfigMaps and Secrets: file names without tricks. */
export const checkConfigMapKey: Check = (value) => {
  const found = configMapKeyPattern(value);
  if (value === "." || value === "..") return [...found, `must not be '${value}'`];
  return value.startsWith("..") ? [...found, "must not start with '..'"] : found;
};

export const checkHttpHeaderName: Check = patternCheck({
  pattern: "[-A-Za-z0-9]+",
  message: "a valid HTTP header must consist of alphanumeric characters or '-'",
  examples: ["X-Header-Name"],
});

export const checkPercent: Check = patternCheck({
  pattern: "[0-9]+%",
  message: "a valid percent string must be a numeric string followed by an ending '%'",
  examples: ["1%", "93%"],
});

/** `example.com/path`, such as an IngressClass controller or a Job's managedBy. */
export function isDomainPrefixedPath(value: string): boolean {
  const at = value.indexOf("/");
  return at > 0 && at < value.length - 1;
}

const suffixAlphabet = "bcdfghjklmnpqrstvwxz2456789";
const maxGeneratedNameLength = 63;
const suffixLength = 5;

/**
 * The name made from a `generateName`: its first 58 characters and 5 random ones without vowels and look-alikes
 * (apiserver pkg/storage/names/generate.go).
 */
export function generateName(base: string, randomIndex: (max: number) => number = randomInt): string {
  let suffix = "";
  for (let i = 0; i < suffixLength; i += 1) suffix += suffixAlphabet[randomIndex(suffixAlphabet.length)];
  return base.slice(0, maxGeneratedNameLength - suffixLength) + suffix;
}
