/** An image reference in the grammar of the distribution project: `[registry/]repository[:tag][@digest]`. */
export interface ImageReference {
  /** `docker.io` when the reference names none. */
  readonly registry: string;
  readonly repository: string;
  readonly tag?: string;
  /** `sha256:<64 hex digits>`. */
  readonly digest?: string;
}

const component = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const host = "(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?|\\[[0-9a-fA-F:]+\\])(?::[0-9]+)?";
const grammar = new RegExp(
  `^(?:(${host})/)?(${component}(?:/${component})*)(?::([\\w][\\w.-]{0,127}))?(?:@(sha256:[0-9a-f]{64}))?$`,
);

/** Parses a reference; undefined when it is not one. A first part counts as registry with a `.`, a `:` or as `localhost`. */
export function parseImageReference(text: string): ImageReference | undefined {
  const match = grammar.exec(text);
  if (!match) return undefined;
  const [, first, rest = "", tag, digest] = match;
  const isRegistry = first !== undefined && (/[.:]/.test(first) || first === "localhost");
  const registry = isRegistry ? first : "docker.io";
  const path = isRegistry || first === undefined ? rest : `${first}/${rest}`;
  if (!isRegistry && !new RegExp(`^${component}(?:/${component})*$`).test(path)) return undefined;
  const repository = registry === "docker.io" && !path.includes("/") ? `library/${path}` : path;
  return { registry, repository, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
}

/** `registry/repository:tag` or `registry/repository@digest`: the spelling under which a store files an image. */
export function canonicalName(reference: ImageReference): string {
  const base = `${reference.registry}/${reference.repository}`;
  return reference.digest ? `${base}@${reference.digest}` : `${base}:${reference.tag ?? "latest"}`;
}

/** Registries that stand for this machine: nobody is asked over a network (Serving skips the same ones). */
export const localRegistries: ReadonlySet<string> = new Set(["dev.local", "ko.local", "kind.local"]);
