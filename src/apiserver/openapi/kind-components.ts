/** Components for whole kinds: the object with its apiVersion and kind, and its list. */
import type { KindDefinition } from "../../api/meta/definition.ts";
import { schemaOf } from "../../api/schemas.ts";
import type { JsonObject } from "../schema/json-value.ts";
import { componentName, kindComponentName } from "./component-names.ts";
import { gvkOf, type Gvk } from "./operations.ts";
import { publishedSchema, refTo, type Components } from "./published-schema.ts";

const typeMeta: JsonObject = {
  apiVersion: {
    type: "string",
    description: "The version of the schema this object follows, such as `v1` or `apps/v1`.",
  },
  kind: { type: "string", description: "What this object is, such as `Pod`." },
};

const gvkWord = "x-kubernetes-group-version-kind";

/** Adds the component of a kind and returns its name. */
export function addKind(definition: KindDefinition, components: Components): string {
  const schema = definition.schema();
  const message = schema["x-ebb-message"];
  const name = message === undefined ? kindComponentName(definition.kind) : componentName(message);
  if (message === undefined) components.byName.set(name, publishedSchema(schema, components));
  else publishedSchema(schema, components);
  makeObject(name, gvkOf(definition.kind), components);
  return name;
}

/** Adds the component of a kind that has field tables but no definition of its own: Scale, Status, DeleteOptions. */
export function addMessage(message: string, gvk: Gvk, components: Components): string {
  publishedSchema(schemaOf(message), components);
  const name = componentName(message);
  makeObject(name, gvk, components);
  return name;
}

function makeObject(name: string, gvk: Gvk, components: Components): void {
  const component = components.byName.get(name) ?? {};
  const { properties } = component as { properties?: JsonObject };
  if (properties || component["type"] === "object")
    components.byName.set(name, { ...component, properties: { ...typeMeta, ...properties }, [gvkWord]: [gvk] });
  else components.byName.set(name, { ...component, [gvkWord]: [gvk] });
}

/** Adds the list of a kind and returns its name. */
export function addList(item: string, { kind }: KindDefinition, components: Components): string {
  const name = `${item}List`;
  components.byName.set(name, {
    type: "object",
    required: ["items"],
    properties: {
      ...typeMeta,
      metadata: publishedSchema(schemaOf("meta.ListMeta"), components),
      items: { type: "array", items: refTo(components, item) },
    },
    [gvkWord]: [{ ...gvkOf(kind), kind: `${kind.kind}List` }],
  });
  return name;
}
