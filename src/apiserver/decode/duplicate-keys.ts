/**
 * Finds object keys that occur twice in a JSON text, which JSON.parse silently resolves to the last.
 * Run only when the caller wants strict decoding: it reads the text a second time.
 */

/** Paths as strict decoding errors name them, such as `spec.containers[0].image`. The text must be valid JSON. */
export function findDuplicateKeys(text: string): string[] {
  const found = new Set<string>();
  let at = 0;

  const skipSpace = (): void => {
    while (at < text.length && text.charCodeAt(at) <= 32) at++;
  };
  const readString = (): string => {
    const start = at++;
    while (text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
    at++;
    return JSON.parse(text.slice(start, at)) as string;
  };
  const skipScalar = (): void => {
    while (at < text.length && !",]}".includes(text[at] ?? "") && text.charCodeAt(at) > 32) at++;
  };
  const visitObject = (path: string): void => {
    const seen = new Set<string>();
    at++;
    for (skipSpace(); text[at] !== "}"; skipSpace()) {
      if (text[at] === ",") {
        at++;
        continue;
      }
      const key = readString();
      const field = path === "" ? key : `${path}.${key}`;
      if (seen.has(key)) found.add(field);
      seen.add(key);
      skipSpace();
      at++;
      visit(field);
    }
    at++;
  };
  const visitArray = (path: string): void => {
    at++;
    let index = 0;
    for (skipSpace(); text[at] !== "]"; skipSpace()) {
      if (text[at] === ",") at++;
      else visit(`${path}[${index++}]`);
    }
    at++;
  };
  const visit = (path: string): void => {
    skipSpace();
    if (text[at] === "{") visitObject(path);
    else if (text[at] === "[") visitArray(path);
    else if (text[at] === '"') readString();
    else skipScalar();
  };

  visit("");
  return [...found];
}
