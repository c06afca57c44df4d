import type { KindDefinition } from "../../api/meta/definition.ts";
import { badRequest } from "../../api/meta/errors.ts";
import { apiVersionOf } from "../../api/meta/kind.ts";
import type { KubeObject } from "../../api/meta/object.ts";

export type VersionConverter = (object: KubeObject, apiVersion: string) => KubeObject;

/**
 * Makes an object one of another version of its kind, by way of the version that is stored. Throws BadRequest for a kind
 * or version that `definitions` do not have.
 */
export function versionConverter(definitions: readonly KindDefinition[]): VersionConverter {
  const known = new Map(
    definitions.map((definition) => [`${apiVersionOf(definition.kind)} ${definition.kind.kind}`, definition]),
  );
  const find = (apiVersion = "", kind = ""): KindDefinition => {
    const definition = known.get(`${apiVersion} ${kind}`);
    if (!definition) throw badRequest(`there is no ${kind} in ${apiVersion}`);
    return definition;
  };
  return (object, apiVersion) => {
    if (object.apiVersion === apiVersion) return object;
    const [from, to] = [find(object.apiVersion, object.kind), find(apiVersion, object.kind)];
    const stored = from.conversion ? from.conversion.toStored(object) : object;
    return to.conversion ? to.conversion.fromStored(stored) : stored;
  };
}
