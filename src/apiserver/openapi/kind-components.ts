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

/** The kinds of a component and one more: two versions may share a schema (batch/v1 and v1beta1 CronJob). */
function kindsOf(component: JsonObject, gvk: Gvk): readonly Gvk[] {
  const known = (component[gvkWord] ?? []) as unknown as readonly Gvk[];
  const isKnown = known.some((k) => k.kind === gvk.kind && k.version === gvk.version && k.group === gvk.group);
  return isKnown ? known : [...known, gvk];
}

function makeObject(name: string, gvk: Gvk, components: Components): void {
  const component = components.byName.get(name) ?? {};
  const kinds = kindsOf(component, gvk) as unknown as JsonObject[];
  const { properties } = component as { properties?: JsonObject };
  if (properties || component["type"] === "object")
    components.byName.set(name, { ...component, properties: { ...typeMeta, ...properties }, [gvkWord]: kinds });
  else components.byName.set(name, { ...component, [gvkWord]: kinds });
}

/** Adds the list of a kind and returns its name. */
export function addList(item: string, { kind }: KindDefinition, components: Components): string {
  const name = `${item}List`;
  const gvk = { ...gvkOf(kind), kind: `${kind.kind}List` };
  components.byName.set(name, {
    type: "object",
    required: ["items"],
    properties: {
      ...typeMeta,
      metadata: publishedSchema(schemaOf("meta.ListMeta"), components),
      items: { type: "array", items: refTo(components, item) },
    },
    [gvkWord]: kindsOf(components.byName.get(name) ?? {}, gvk) as unknown as JsonObject[],
  });
  return name;
}
