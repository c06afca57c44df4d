/** A request path that names resources, taken apart. */
export interface ResourcePath {
  readonly group: string;
  readonly version: string;
  readonly namespace?: string;
  readonly plural: string;
  readonly name?: string;
  readonly subresource?: string;
  /** What follows a subresource, such as the path behind `proxy`. */
  readonly rest?: string;
  /** The old `/watch/` form: GET is a watch. */
  readonly watch: boolean;
}

/** Subresources of a namespace; anything else behind its name is a resource inside it. */
const namespaceSubresources: ReadonlySet<string> = new Set(["status", "finalize"]);

/**
 * Takes `/api/v1/…` or `/apis/G/V/…` apart; undefined for every other path, those of documents about a group included.
 * Throws URIError for a path that is not valid percent-encoding.
 */
export function parseResourcePath(path: string): ResourcePath | undefined {
  const parts = path.split("/");
  if (parts.at(-1) === "") parts.pop();
  const core = parts[1] === "api";
  if (!core && parts[1] !== "apis") return undefined;
  const [group = "", version = ""] = core ? ["", parts[2]] : [parts[2], parts[3]];
  const decoded = parts.slice(core ? 3 : 4).map((part) => (part.includes("%") ? decodeURIComponent(part) : part));
  const watch = decoded[0] === "watch";
  if (watch) decoded.shift();
  if (decoded.length === 0) return undefined;
  return { group, version, watch, ...placeOf(decoded) };
}

type Place = Omit<ResourcePath, "group" | "version" | "watch">;

function placeOf(parts: readonly string[]): Place {
  const [first = "", second, third, ...behind] = parts;
  if (first !== "namespaces" || second === undefined) return named(first, parts.slice(1));
  if (third === undefined) return { plural: "namespaces", name: second, namespace: second };
  if (namespaceSubresources.has(third) && behind.length === 0)
    return { plural: "namespaces", name: second, namespace: second, subresource: third };
  return { namespace: second, ...named(third, behind) };
}

function named(plural: string, [name, subresource, ...rest]: readonly string[]): Place {
  return {
    plural,
    ...(name === undefined ? {} : { name }),
    ...(subresource === undefined ? {} : { subresource }),
    ...(rest.length === 0 ? {} : { rest: rest.join("/") }),
  };
}
