/**
 * CEL with the functions Kubernetes adds to it (kubernetes.io/docs/reference/using-api/cel). The language itself is
 * @marcbachmann/cel-js.
 */
import { createRequire } from "node:module";
import type { ASTNode, Environment, ParseResult } from "@marcbachmann/cel-js";
import { compileGoPattern } from "../schema/go-pattern.ts";
import { isObject, jsonEqual } from "../schema/json-value.ts";
import {
  addToQuantity,
  cidrContains,
  CidrValue,
  compareQuantityValues,
  compareSemver,
  IpValue,
  isQuantity,
  parseCidr,
  parseIp,
  parseSemver,
  parseUrl,
  quantity,
  quantityAsNumber,
  QuantityValue,
  SemverValue,
  subtractFromQuantity,
  UrlValue,
} from "./cel-kubernetes-values.ts";

/** Loaded with the first rule: most servers never see one, and it weighs 9 MB. */
let loaded: typeof import("@marcbachmann/cel-js") | undefined;
const cel = (): typeof import("@marcbachmann/cel-js") =>
  (loaded ??= createRequire(import.meta.url)("@marcbachmann/cel-js") as typeof import("@marcbachmann/cel-js"));

/** CEL's optional value; none for undefined. */
export const toOptional = (value: unknown): unknown =>
  value === undefined ? cel().Optional.none() : cel().Optional.of(value);

/** What `oldSelf` is to a rule: the old value itself, or with optionalOldSelf an optional that may hold none. */
export type OldSelf = "value" | "optional";

const environments = new Map<OldSelf, Environment>();

/** One environment serves every rule of its sort; made when the first is compiled. */
function environment(oldSelf: OldSelf): Environment {
  let made = environments.get(oldSelf);
  if (!made) {
    made = registerFunctions(
      new (cel().Environment)({ enableOptionalTypes: true, homogeneousAggregateLiterals: false })
        .registerVariable("self", "dyn")
        .registerVariable("oldSelf", oldSelf === "optional" ? "optional<dyn>" : "dyn"),
    );
    environments.set(oldSelf, made);
  }
  return made;
}

const named = new Map<string, Environment>();

/** Parses an expression over variables of these names; throws what is wrong with it. */
export function parseCelOver(expression: string, variables: readonly string[]): ParseResult {
  const key = variables.join();
  let env = named.get(key);
  if (!env) {
    const bare = new (cel().Environment)({ enableOptionalTypes: true, homogeneousAggregateLiterals: false });
    env = registerFunctions(variables.reduce((made, name) => made.registerVariable(name, "dyn"), bare));
    named.set(key, env);
  }
  return parseIn(env, expression);
}

/** Parses a rule; throws what is wrong with it. */
export function parseCel(expression: string, oldSelf: OldSelf = "value"): ParseResult {
  return parseIn(environment(oldSelf), expression);
}

function parseIn(env: Environment, expression: string): ParseResult {
  const parsed = env.parse(rewritten(expression, env.parse(expression).ast));
  const checked = parsed.check();
  if (!checked.valid) throw checked.error ?? new Error("the expression does not type-check");
  return parsed;
}

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * The expression in words the library takes as Kubernetes means them:
 * - `has(a[0].b)`, whose path begins with more than a name, as the membership test it is: `("b" in (a[0]))`;
 * - `matches` as a function of our own, since the library's knows JavaScript's regular expressions and rules are
 *   written in Go's.
 */
function rewritten(expression: string, ast: ASTNode): string {
  const edits: Edit[] = [];
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(visit);
    if (!isObject(value) || typeof value["op"] !== "string") return;
    const node = value as unknown as CelNode;
    const tested = node.op === "call" && node.args[0] === "has" ? (node.args[1] as CelNode[])[0] : undefined;
    if (tested?.op === "." && !beginsWithName(tested)) {
      const [owner, field] = tested.args as [CelNode, string];
      const text = `(${JSON.stringify(field)} in (${expression.slice(owner.start, owner.end)}))`;
      edits.push({ start: node.start, end: node.end, text });
      return;
    }
    if (node.op === "rcall" && node.args[0] === "matches") {
      const at = expression.indexOf("matches", (node.args[1] as CelNode).end);
      edits.push({ start: at, end: at + "matches".length, text: "matchesGo" });
    }
    visit(node.args);
  };
  visit(ast);
  return edits
    .sort((a, b) => a.start - b.start)
    .reduceRight((text, edit) => text.slice(0, edit.start) + edit.text + text.slice(edit.end), expression);
}

/** What the library's nodes have beside what it declares: where they stand in the text. */
interface CelNode {
  readonly op: string;
  readonly args: readonly unknown[];
  readonly start: number;
  readonly end: number;
}

function beginsWithName(path: CelNode): boolean {
  let node = path;
  while (node.op === "." || node.op === ".?") node = node.args[0] as CelNode;
  return node.op === "id";
}

type Args = readonly never[];
type Functions = Readonly<Record<string, (...args: Args) => unknown>>;

function registerFunctions(env: Environment): Environment {
  env
    .registerType("kubernetes.Quantity", QuantityValue)
    .registerType("kubernetes.URL", UrlValue)
    .registerType("net.IP", IpValue)
    .registerType("net.CIDR", CidrValue)
    .registerType("kubernetes.Semver", SemverValue);
  for (const functions of [
    regexFunctions,
    stringFunctions,
    listFunctions,
    quantityFunctions,
    urlFunctions,
    addressFunctions,
    semverFunctions,
  ])
    for (const [signature, implementation] of Object.entries(functions as Functions))
      env.registerFunction(signature, implementation);
  return env
    .registerOperator(
      "kubernetes.Quantity == kubernetes.Quantity",
      (a: QuantityValue, b: QuantityValue) => compareQuantityValues(a, b) === 0,
    )
    .registerOperator("kubernetes.URL == kubernetes.URL", (a: UrlValue, b: UrlValue) => a.url.href === b.url.href)
    .registerOperator("net.IP == net.IP", (a: IpValue, b: IpValue) => a.text === b.text)
    .registerOperator(
      "kubernetes.Semver == kubernetes.Semver",
      (a: SemverValue, b: SemverValue) => compareSemver(a, b) === 0,
    );
}

function pattern(text: string): RegExp {
  const compiled = compileGoPattern(text);
  if (!compiled) throw new Error(`error parsing regexp: ${text}`);
  return compiled;
}

const regexFunctions = {
  "string.matchesGo(string): bool": (text: string, expression: string) => pattern(expression).test(text),
  "string.find(string): string": (text: string, expression: string) => pattern(expression).exec(text)?.[0] ?? "",
  "string.findAll(string): list<string>": (text: string, expression: string) => findAll(text, expression, -1n),
  "string.findAll(string, int): list<string>": findAll,
};

function findAll(text: string, expression: string, limit: bigint): string[] {
  const { source, flags } = pattern(expression);
  const found = [...text.matchAll(new RegExp(source, `${flags}g`))].map(([match]) => match);
  return limit < 0n ? found : found.slice(0, Number(limit));
}

function within(list: { readonly length: number }, index: bigint): number {
  if (index < 0n || index > BigInt(list.length)) throw new Error(`index out of range: ${index}`);
  return Number(index);
}

const stringFunctions = {
  "string.charAt(int): string": (text: string, at: bigint) => [...text][within(text, at)] ?? "",
  "string.replace(string, string): string": (text: string, from: string, to: string) => text.replaceAll(from, () => to),
  "string.replace(string, string, int): string": (text: string, from: string, to: string, limit: bigint) => {
    let left = limit < 0n ? Number.POSITIVE_INFINITY : Number(limit);
    return text.replaceAll(from, (match) => (left-- > 0 ? to : match));
  },
  "string.format(list): string": format,
  "string.reverse(): string": (text: string) => [...text].toReversed().join(""),
};

/** `%s`, `%d`, `%f`, `%.2f`, `%x`, `%%` of cel-go's strings extension. */
function format(text: string, args: readonly unknown[]): string {
  let next = 0;
  return text.replaceAll(/%(?:\.(\d+))?([sdfexXob%])/g, (_match, digits: string | undefined, verb: string) => {
    if (verb === "%") return "%";
    if (next >= args.length) throw new Error(`index ${next} out of range`);
    const value = args[next++];
    if (verb === "f") return Number(value).toFixed(digits === undefined ? 6 : Number(digits));
    if (verb === "e") return Number(value).toExponential(digits === undefined ? 6 : Number(digits));
    if (verb === "x" || verb === "X" || verb === "o" || verb === "b") {
      const radix = verb === "o" ? 8 : verb === "b" ? 2 : 16;
      const written = BigInt(String(value)).toString(radix);
      return verb === "X" ? written.toUpperCase() : written;
    }
    return printed(value);
  });
}

function printed(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(printed).join(", ")}]`;
  if (value instanceof Date) return value.toISOString().replace(".000Z", "Z");
  if (typeof value === "object" && value !== null)
    return `{${Object.entries(value)
      .map(([key, inner]) => `${key}: ${printed(inner)}`)
      .join(", ")}}`;
  return String(value);
}

type Ordered = bigint | number | string;
const ordered = (list: readonly unknown[]): readonly Ordered[] => list as readonly Ordered[];

function extreme(list: readonly unknown[], takes: (a: Ordered, b: Ordered) => boolean): Ordered {
  const [first, ...rest] = ordered(list);
  if (first === undefined) throw new Error("min or max called on empty list");
  return rest.reduce((best, item) => (takes(item, best) ? item : best), first);
}

const sameValue = (a: unknown, b: unknown): boolean => a === b || jsonEqual(a, b);

const listFunctions = {
  "list.isSorted(): bool": (list: readonly unknown[]) =>
    ordered(list).every((item, index, all) => index === 0 || (all[index - 1] ?? item) <= item),
  "list.sum(): dyn": (list: readonly unknown[]) =>
    list.length === 0 ? 0n : (list as number[]).reduce((total, item) => total + item),
  "list.min(): dyn": (list: readonly unknown[]) => extreme(list, (a, b) => a < b),
  "list.max(): dyn": (list: readonly unknown[]) => extreme(list, (a, b) => a > b),
  "list.indexOf(dyn): int": (list: readonly unknown[], value: unknown) =>
    BigInt(list.findIndex((item) => sameValue(item, value))),
  "list.lastIndexOf(dyn): int": (list: readonly unknown[], value: unknown) =>
    BigInt(list.findLastIndex((item) => sameValue(item, value))),
};

const quantityFunctions = {
  "isQuantity(string): bool": isQuantity,
  "quantity(string): kubernetes.Quantity": quantity,
  "kubernetes.Quantity.sign(): int": (value: QuantityValue) => BigInt(Math.sign(quantityAsNumber(value))),
  "kubernetes.Quantity.isInteger(): bool": (value: QuantityValue) => Number.isSafeInteger(quantityAsNumber(value)),
  "kubernetes.Quantity.asInteger(): int": (value: QuantityValue) => BigInt(quantityAsNumber(value)),
  "kubernetes.Quantity.asApproximateFloat(): double": quantityAsNumber,
  "kubernetes.Quantity.add(kubernetes.Quantity): kubernetes.Quantity": addToQuantity,
  "kubernetes.Quantity.add(int): kubernetes.Quantity": (a: QuantityValue, b: bigint) =>
    addToQuantity(a, quantity(String(b))),
  "kubernetes.Quantity.sub(kubernetes.Quantity): kubernetes.Quantity": subtractFromQuantity,
  "kubernetes.Quantity.sub(int): kubernetes.Quantity": (a: QuantityValue, b: bigint) =>
    subtractFromQuantity(a, quantity(String(b))),
  "kubernetes.Quantity.isGreaterThan(kubernetes.Quantity): bool": (a: QuantityValue, b: QuantityValue) =>
    compareQuantityValues(a, b) > 0,
  "kubernetes.Quantity.isLessThan(kubernetes.Quantity): bool": (a: QuantityValue, b: QuantityValue) =>
    compareQuantityValues(a, b) < 0,
  "kubernetes.Quantity.compareTo(kubernetes.Quantity): int": (a: QuantityValue, b: QuantityValue) =>
    BigInt(Math.sign(compareQuantityValues(a, b))),
};

function required<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(what);
  return value;
}

/** Query values by key, all of them, as Go's url.Values. */
function queryOf({ url }: UrlValue): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  for (const key of new Set(url.searchParams.keys())) found[key] = url.searchParams.getAll(key);
  return found;
}

const hasHost = ({ url }: UrlValue): boolean => url.protocol !== "none:";

const urlFunctions = {
  "isURL(string): bool": (text: string) => parseUrl(text) !== undefined,
  "url(string): kubernetes.URL": (text: string) =>
    required(parseUrl(text), `URL parse error during conversion from string: ${text}`),
  "kubernetes.URL.getScheme(): string": (value: UrlValue) => (hasHost(value) ? value.url.protocol.slice(0, -1) : ""),
  "kubernetes.URL.getHost(): string": (value: UrlValue) => (hasHost(value) ? value.url.host : ""),
  "kubernetes.URL.getHostname(): string": (value: UrlValue) =>
    hasHost(value) ? value.url.hostname.replaceAll(/[[\]]/g, "") : "",
  "kubernetes.URL.getPort(): string": ({ url }: UrlValue) => url.port,
  "kubernetes.URL.getEscapedPath(): string": ({ url }: UrlValue) => url.pathname,
  "kubernetes.URL.getQuery(): map<string, list<string>>": queryOf,
};

const addressFunctions = {
  "isIP(string): bool": (text: string) => parseIp(text) !== undefined,
  "ip(string): net.IP": (text: string) => required(parseIp(text), `IP Address ${JSON.stringify(text)} parse error`),
  "net.IP.family(): int": ({ family }: IpValue) => BigInt(family),
  "net.IP.isLoopback(): bool": ({ text }: IpValue) => text.startsWith("127.") || text === "::1",
  "net.IP.isUnspecified(): bool": ({ text }: IpValue) => text === "0.0.0.0" || text === "::",
  "isCIDR(string): bool": (text: string) => parseCidr(text) !== undefined,
  "cidr(string): net.CIDR": (text: string) =>
    required(parseCidr(text), `network address parse error during conversion from string: ${text}`),
  "net.CIDR.containsIP(string): bool": (cidr: CidrValue, text: string) =>
    cidrContains(cidr, required(parseIp(text), `IP Address ${JSON.stringify(text)} parse error`)),
  "net.CIDR.containsIP(net.IP): bool": cidrContains,
  "net.CIDR.ip(): net.IP": ({ address }: CidrValue) => address,
  "net.CIDR.prefixLength(): int": ({ prefixLength }: CidrValue) => BigInt(prefixLength),
};

const semverFunctions = {
  "isSemver(string): bool": (text: string) => parseSemver(text) !== undefined,
  "semver(string): kubernetes.Semver": (text: string) =>
    required(parseSemver(text), `No Major.Minor.Patch elements found: ${text}`),
  "kubernetes.Semver.major(): int": ({ parts }: SemverValue) => BigInt(parts[0]),
  "kubernetes.Semver.minor(): int": ({ parts }: SemverValue) => BigInt(parts[1]),
  "kubernetes.Semver.patch(): int": ({ parts }: SemverValue) => BigInt(parts[2]),
  "kubernetes.Semver.isGreaterThan(kubernetes.Semver): bool": (a: SemverValue, b: SemverValue) =>
    compareSemver(a, b) > 0,
  "kubernetes.Semver.isLessThan(kubernetes.Semver): bool": (a: SemverValue, b: SemverValue) => compareSemver(a, b) < 0,
  "kubernetes.Semver.compareTo(kubernetes.Semver): int": (a: SemverValue, b: SemverValue) =>
    BigInt(Math.sign(compareSemver(a, b))),
};
