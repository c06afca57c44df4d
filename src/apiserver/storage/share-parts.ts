/** Slots for objects and arrays, and for strings: powers of two. The tables take 0.6 MB. */
const partSlots = 32_768;
const textSlots = 16_384;
/** Where the second slot of a pair begins. */
const secondPart = partSlots / 2;
const secondText = textSlots / 2;
/** JSON.parse already gives one copy of strings up to this length. */
const sharedByParser = 10;
/** Of a longer text only so many characters are looked at, evenly spread: a hash may miss, never mislead. */
const hashedCharacters = 64;

/**
 * Gives equal parts of objects at rest one copy: a Service's labels return in a dozen objects, its pod template in
 * four, owner references, conditions and messages in thousands. What it returns equals its argument to the byte of its
 * JSON (order of keys included) and may share any part with what was given before, so nobody may change it.
 *
 * Parts seen before are looked for by hash in tables of fixed size: no memory that grows, nothing to clear, and a part
 * that was displaced only means a second copy. A hash has two slots. New parts go to the second and come to the first
 * when they are seen again, so that the many that are seen once do not drive out the few that are everywhere.
 */
export function createPartSharer(): <T extends object>(parsed: T) => T {
  const sharer = new PartSharer();
  return (parsed) => sharer.share(parsed);
}

class PartSharer {
  readonly #parts: (object | undefined)[] = Array.from({ length: partSlots });
  readonly #hashes: Int32Array = new Int32Array(partSlots);
  readonly #texts: string[] = Array.from({ length: textSlots }, () => "");
  /** Hash of the value that was visited last. */
  #hash = 0;

  /** The object itself and its metadata are never like another's; their parts may be. */
  share<T extends object>(object: T): T {
    const fields = object as Record<string, unknown>;
    for (const key in fields) {
      const value = fields[key];
      if (key === "metadata" && typeof value === "object" && value !== null) this.#shareFields(value);
      else if (typeof value === "string" || typeof value === "object") fields[key] = this.#visit(value);
    }
    return object;
  }

  #shareFields(holder: object): void {
    const fields = holder as Record<string, unknown>;
    let hash = 17;
    for (const key in fields) {
      // Assigned also when equal: equal texts are not yet one text.
      fields[key] = this.#visit(fields[key]);
      hash = mix(mix(hash, hashOf(key)), this.#hash);
    }
    this.#hash = hash;
  }

  #shareItems(items: unknown[]): void {
    let hash = 31;
    for (let i = 0; i < items.length; i++) {
      items[i] = this.#visit(items[i]);
      hash = mix(hash, this.#hash);
    }
    this.#hash = hash;
  }

  #visit(value: unknown): unknown {
    if (typeof value === "string") return this.#text(value);
    if (typeof value !== "object" || value === null) {
      this.#hash = typeof value === "number" ? Math.imul(value | 0, 2654435) : value === true ? 1 : 2;
      return value;
    }
    if (Array.isArray(value)) this.#shareItems(value);
    else this.#shareFields(value);
    return this.#part(value);
  }

  #text(text: string): string {
    const hash = hashOf(text);
    this.#hash = hash;
    if (text.length <= sharedByParser) return text;
    const slot = hash & (secondText - 1);
    const texts = this.#texts;
    const first = texts[slot] as string;
    if (first === text) return first;
    const second = texts[slot + secondText] as string;
    if (second !== text) {
      texts[slot + secondText] = text;
      return text;
    }
    texts[slot] = second;
    texts[slot + secondText] = first;
    return second;
  }

  /** `part` has been visited: whatever of it is shared is the same, not only equal. */
  #part(part: object): object {
    const hash = this.#hash;
    const slot = hash & (secondPart - 1);
    const parts = this.#parts;
    const hashes = this.#hashes;
    const first = parts[slot];
    if (first !== undefined && hashes[slot] === hash && isSame(first, part)) return first;
    const second = parts[slot + secondPart];
    if (second === undefined || hashes[slot + secondPart] !== hash || !isSame(second, part)) {
      parts[slot + secondPart] = part;
      hashes[slot + secondPart] = hash;
      return part;
    }
    parts[slot] = second;
    parts[slot + secondPart] = first;
    hashes[slot + secondPart] = hashes[slot] as number;
    hashes[slot] = hash;
    return second;
  }
}

/** FNV-1a's step, on whole numbers. */
const mix = (hash: number, value: number): number => {
  const mixed = Math.imul(hash ^ value, 16_777_619);
  return mixed ^ (mixed >>> 15);
};

function hashOf(text: string): number {
  const { length } = text;
  const step = length <= hashedCharacters ? 1 : Math.ceil(length / hashedCharacters);
  let hash = length;
  for (let i = 0; i < length; i += step) hash = Math.imul(hash ^ text.charCodeAt(i), 16_777_619);
  return hash ^ (hash >>> 15);
}

/** The same keys in the same order with the same values, strings and numbers compared by what they say. */
function isSame(a: object, b: object): boolean {
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
    return true;
  }
  const [keys, others] = [Object.keys(a), Object.keys(b)];
  if (keys.length !== others.length) return false;
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i] as string;
    if (key !== others[i] || (a as Record<string, unknown>)[key] !== (b as Record<string, unknown>)[key]) return false;
  }
  return true;
}
