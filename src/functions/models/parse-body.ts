import { isJsonType, mediaType } from "../../api/cloudevents/cloud-event.ts";

/** The body is not what its content type says; the message is for the caller. */
export class BodyError extends Error {
  override readonly name = "BodyError";
}

/**
 * A body by its content type: JSON → the value, a form → an object, text → a string, anything else → the bytes. An
 * empty body is undefined. Throws {@link BodyError}.
 */
export function parseBody(contentType: string | undefined, body: Buffer): unknown {
  if (body.length === 0) return undefined;
  const type = contentType === undefined ? "" : mediaType(contentType);
  if (isJsonType(type)) {
    try {
      return JSON.parse(withoutMark(body.toString("utf8"))) as unknown;
    } catch (error) {
      throw new BodyError(`the body is not JSON: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  if (type === "application/x-www-form-urlencoded") return parseForm(body.toString("utf8"));
  if (type.startsWith("text/")) return withoutMark(body.toString("utf8"));
  return body;
}

const withoutMark = (text: string): string => (text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);

type FormValue = string | FormValue[] | { [name: string]: FormValue };

/** Limits that keep a hostile form cheap; the same as the usual parsers'. */
const [maxFields, maxDepth, maxIndex] = [1000, 5, 20];

/**
 * A form or query with the usual brackets: `a=1&a=2` and `a[]=1&a[]=2` are lists, `a[b]=1` an object. Names that would
 * reach an object's prototype are left out.
 */
export function parseForm(text: string): Record<string, FormValue> {
  const result: Record<string, FormValue> = {};
  let fields = 0;
  for (const [name, value] of new URLSearchParams(text)) {
    if (++fields > maxFields) throw new BodyError(`the form has more than ${maxFields} fields`);
    const path = keysOf(name);
    if (path.some((key) => key === "__proto__" || key === "constructor" || key === "prototype")) continue;
    place(result, path, value);
  }
  return result;
}

/** `a[b][]` → ["a", "b", ""]; beyond the depth, or without closing brackets, the name is taken as it is. */
function keysOf(name: string): readonly string[] {
  const open = name.indexOf("[");
  if (open <= 0) return [name];
  const rest = name.slice(open);
  if (!/^(\[[^[\]]*\])+$/.test(rest)) return [name];
  const inner = [...rest.matchAll(/\[([^[\]]*)\]/g)].map((match) => match[1] ?? "");
  return inner.length > maxDepth ? [name] : [name.slice(0, open), ...inner];
}

function place(into: Record<string, FormValue>, path: readonly string[], value: string): void {
  const [key = "", ...rest] = path;
  const present = Object.hasOwn(into, key) ? into[key] : undefined;
  if (rest.length === 0) {
    into[key] = present === undefined ? value : Array.isArray(present) ? [...present, value] : [present, value];
    return;
  }
  const [next = ""] = rest;
  if (
    next === "" ||
    (/^\d+$/.test(next) && Number(next) <= maxIndex && (present === undefined || Array.isArray(present)))
  ) {
    const list: FormValue[] = Array.isArray(present) ? present : present === undefined ? [] : [present];
    const deeper = rest.slice(1);
    if (deeper.length === 0) list.push(value);
    else {
      const item: Record<string, FormValue> = {};
      place(item, deeper, value);
      list.push(item);
    }
    into[key] = list;
    return;
  }
  const object = typeof present === "object" && !Array.isArray(present) ? present : {};
  place(object, rest, value);
  into[key] = object;
}
