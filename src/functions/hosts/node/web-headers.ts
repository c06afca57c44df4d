/**
 * Headers of the Fetch standard, without undici: loading that costs a fresh process some 40 ms, more than everything
 * else a host does. Accepted wherever the real one is, since those take any iterable of pairs.
 */

/** RFC 9110 token. */
const namePattern = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** No NUL, CR or LF inside. */
const badValue = /[\0\r\n]/;

export type HeadersLike = Iterable<readonly [string, string]> | Readonly<Record<string, string>>;

export class WebHeaders {
  /** Lower-case name → values joined by ", ". */
  readonly #map = new Map<string, string>();
  /** The one field whose values must not be joined. */
  #cookies: string[] | undefined;

  constructor(init?: HeadersLike | null) {
    if (init === undefined || init === null) return;
    if (init instanceof WebHeaders) {
      for (const [name, value] of init.#map) this.#map.set(name, value);
      if (init.#cookies) this.#cookies = [...init.#cookies];
      return;
    }
    if (typeof init !== "object" && typeof init !== "function") {
      throw new TypeError("Headers: the initial value must be an object or a sequence of pairs");
    }
    if (Symbol.iterator in init) {
      for (const pair of init) {
        const [name, value, ...more] = pair as readonly string[];
        if (name === undefined || value === undefined || more.length > 0) {
          throw new TypeError("Headers: each entry must be a pair of name and value");
        }
        this.append(name, value);
      }
    } else for (const [name, value] of Object.entries(init)) this.append(name, value);
  }

  /** From node:http's flat list of raw headers, which are valid by then. */
  static fromRaw(raw: readonly string[]): WebHeaders {
    const headers = new WebHeaders();
    for (let i = 0; i + 1 < raw.length; i += 2) headers.#add((raw[i] ?? "").toLowerCase(), raw[i + 1] ?? "");
    return headers;
  }

  append(name: string, value: string): void {
    this.#add(check(name, "append"), clean(value));
  }

  delete(name: string): void {
    const key = check(name, "delete");
    if (key === "set-cookie") this.#cookies = undefined;
    else this.#map.delete(key);
  }

  get(name: string): string | null {
    const key = check(name, "get");
    if (key === "set-cookie") return this.#cookies?.join(", ") ?? null;
    return this.#map.get(key) ?? null;
  }

  getSetCookie(): string[] {
    return [...(this.#cookies ?? [])];
  }

  has(name: string): boolean {
    const key = check(name, "has");
    return key === "set-cookie" ? this.#cookies !== undefined : this.#map.has(key);
  }

  set(name: string, value: string): void {
    const key = check(name, "set");
    if (key === "set-cookie") this.#cookies = [clean(value)];
    else this.#map.set(key, clean(value));
  }

  forEach(callback: (value: string, name: string, headers: WebHeaders) => void, thisArg?: unknown): void {
    for (const [name, value] of this) Reflect.apply(callback, thisArg, [value, name, this]);
  }

  *entries(): IterableIterator<[string, string]> {
    for (const name of this.#names()) {
      if (name === "set-cookie") for (const value of this.#cookies ?? []) yield [name, value];
      else yield [name, this.#map.get(name) ?? ""];
    }
  }

  *keys(): IterableIterator<string> {
    for (const [name] of this) yield name;
  }

  *values(): IterableIterator<string> {
    for (const [, value] of this) yield value;
  }

  [Symbol.iterator](): IterableIterator<[string, string]> {
    return this.entries();
  }

  get [Symbol.toStringTag](): string {
    return "Headers";
  }

  /** The flat list that writeHead takes; order does not matter on the wire. */
  toRaw(): string[] {
    const raw: string[] = [];
    for (const [name, value] of this.#map) raw.push(name, value);
    if (this.#cookies) for (const value of this.#cookies) raw.push("set-cookie", value);
    return raw;
  }

  #add(key: string, value: string): void {
    if (key === "set-cookie") {
      (this.#cookies ??= []).push(value);
      return;
    }
    const before = this.#map.get(key);
    this.#map.set(key, before === undefined ? value : `${before}${key === "cookie" ? "; " : ", "}${value}`);
  }

  /** Iteration is in order of names. */
  #names(): string[] {
    const names = [...this.#map.keys()];
    if (this.#cookies) names.push("set-cookie");
    return names.sort();
  }
}

/** Names that nearly all responses set, as they are nearly always written. */
const usual = new Set(["content-type", "content-length", "location", "cache-control", "set-cookie", "etag", "vary"]);

function check(name: string, method: string): string {
  if (usual.has(name)) return name;
  const text = String(name);
  if (!namePattern.test(text)) throw new TypeError(`Headers.${method}: "${text}" is an invalid header name`);
  return text.toLowerCase();
}

/** What is neither blank at an end nor holds a forbidden character. */
const plainValue = /^(?:[^\0\r\n\t ](?:[^\0\r\n]*[^\0\r\n\t ])?)?$/;

function clean(value: string): string {
  if (typeof value === "string" && plainValue.test(value)) return value;
  const text = String(value).replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, "");
  if (badValue.test(text)) throw new TypeError(`Headers: ${JSON.stringify(text)} is an invalid header value`);
  return text;
}
