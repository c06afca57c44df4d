/** What both versions of OpenAPI documents are made of; they differ in how they write one operation. */
import type { JsonObject } from "../schema/json-value.ts";
import { addKind, addList, addMessage } from "./kind-components.ts";
import { operationsOf, type Operation, type Published } from "./operations.ts";
import type { Components, Flavour } from "./published-schema.ts";

export const documentInfo: JsonObject = { title: "Kubernetes", version: "v1.36.0-ebb" };

/** The components that an operation's body and reply may name. */
export type Names = Readonly<Record<"object" | "list" | "status" | "options", string>>;

export interface Style {
  describe(operation: Operation, names: Names, components: Components): JsonObject;
  pathParameter(name: string): JsonObject;
}

export interface DocumentParts {
  readonly paths: Readonly<Record<string, JsonObject>>;
  /** In order of name. */
  readonly components: JsonObject;
}

const coreGvk = (kind: string): { group: string; version: string; kind: string } => ({
  group: "",
  version: "v1",
  kind,
});
const scaleGvk = { group: "autoscaling", version: "v1", kind: "Scale" };

export function documentParts(kinds: readonly Published[], flavour: Flavour, style: Style): DocumentParts {
  const components: Components = { flavour, byName: new Map() };
  const paths: Record<string, JsonObject> = {};
  const status = addMessage("meta.Status", coreGvk("Status"), components);
  const options = addMessage("meta.DeleteOptions", coreGvk("DeleteOptions"), components);
  for (const published of kinds) {
    const object = addKind(published.definition, components);
    const list = addList(object, published.definition, components);
    const scale = published.definition.scale ? addMessage("autoscaling.v1.Scale", scaleGvk, components) : object;
    for (const operation of operationsOf(published)) {
      const names = { object: operation.path.endsWith("/scale") ? scale : object, list, status, options };
      const item = (paths[operation.path] ??= { parameters: operation.pathParameters.map(style.pathParameter) });
      item[operation.method] = style.describe(operation, names, components);
    }
  }
  return { paths, components: Object.fromEntries([...components.byName].sort(([a], [b]) => (a < b ? -1 : 1))) };
}

export const pathParameterText = (name: string): string =>
  name === "name" ? "name of the object" : "namespace of the object";

/** `core_v1`, `apps_v1`. */
export function tagOf({ gvk, path }: Operation): string {
  const [root, group = "", version = gvk.version] = path.split("/").filter((part) => part !== "");
  return root === "api" ? `core_${group}` : `${group.split(".", 1)[0]}_${version}`;
}
