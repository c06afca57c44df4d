import { canonicalName, parseImageReference } from "../reference.ts";
import { RegistryFailure } from "./registry-failure.ts";

const grammar = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;

/** Where things are filed that name no registry: what was pushed here, and what `ebb deploy` builds. */
const ownRegistry = "dev.local";

/**
 * A repository of this registry as the store names it. `default/hello` is `dev.local/default/hello`; one whose first
 * part could be a registry is what was pulled from there: `docker.io/library/nginx`.
 */
export function storeRepository(name: string): string {
  if (name.length > 255 || !grammar.test(name))
    throw new RegistryFailure("NAME_INVALID", `"${name}" cannot be the name of a repository`);
  const [first = ""] = name.split("/");
  const isRegistry = name.includes("/") && (first.includes(".") || first === "localhost");
  return isRegistry ? repositoryOf(canonicalName(parse(name))) : `${ownRegistry}/${name}`;
}

/** The name clients use for a repository of the store. */
export function clientRepository(repository: string): string {
  return repository.startsWith(`${ownRegistry}/`) ? repository.slice(ownRegistry.length + 1) : repository;
}

/** The part of a stored name before `:tag` or `@digest`. */
export function repositoryOf(name: string): string {
  const at = name.indexOf("@");
  return at < 0 ? name.slice(0, name.lastIndexOf(":")) : name.slice(0, at);
}

/** The tag of a stored name; undefined where it ends in a digest. */
export function tagOf(name: string): string | undefined {
  return name.includes("@") ? undefined : name.slice(name.lastIndexOf(":") + 1);
}

function parse(name: string): NonNullable<ReturnType<typeof parseImageReference>> {
  const reference = parseImageReference(name);
  if (!reference) throw new RegistryFailure("NAME_INVALID", `"${name}" cannot be the name of a repository`);
  return reference;
}
