/** OpenAPI v3 as kubectl reads it: an index, and one document per group and version (kubernetes.io, KEP-2896). */
import type { JsonObject } from "../schema/json-value.ts";
import { documentInfo, documentParts, pathParameterText, tagOf, type Names } from "./document-parts.ts";
import { groupBy } from "./group-by.ts";
import type { Operation, Published } from "./operations.ts";
import { refTo, type Components } from "./published-schema.ts";

/** `api/v1`, `apis/apps/v1`: the key of a group and version in the index. */
function documentKey({ definition: { kind } }: Published): string {
  return kind.group === "" ? `api/${kind.version}` : `apis/${kind.group}/${kind.version}`;
}

/** The kinds by the document they belong to. */
export const documentsOf = (published: readonly Published[]): Map<string, Published[]> =>
  groupBy(published, documentKey);

/** The document of one group and version. */
export function openApiV3(kinds: readonly Published[]): JsonObject {
  const { paths, components } = documentParts(kinds, "v3", { describe, pathParameter });
  return { openapi: "3.0.0", info: documentInfo, paths, components: { schemas: components } };
}

function describe(operation: Operation, names: Names, components: Components): JsonObject {
  const reply = { "application/json": { schema: refTo(components, names[operation.reply]) } };
  const code = operation.method === "post" ? "201" : "200";
  const body = requestBody(operation, names, components);
  return {
    operationId: operation.id,
    tags: [tagOf(operation)],
    parameters: operation.query.map(({ name, type, description }) => ({
      name,
      in: "query",
      description,
      schema: { type, uniqueItems: true },
    })),
    ...(body ? { requestBody: body } : {}),
    responses: { [code]: { description: "OK", content: reply }, "401": { description: "Unauthorized" } },
    "x-kubernetes-action": operation.action,
    "x-kubernetes-group-version-kind": operation.gvk,
  };
}

function requestBody(operation: Operation, names: Names, components: Components): JsonObject | undefined {
  switch (operation.body) {
    case undefined:
      return undefined;
    case "patch": {
      const anything = { schema: { type: "object" } };
      return { required: true, content: Object.fromEntries(operation.patchTypes.map((type) => [type, anything])) };
    }
    case "object":
      return { required: true, content: { "*/*": { schema: refTo(components, names.object) } } };
    case "options":
      return { content: { "*/*": { schema: refTo(components, names.options) } } };
    default:
      return operation.body satisfies never;
  }
}

const pathParameter = (name: string): JsonObject => ({
  name,
  in: "path",
  required: true,
  description: pathParameterText(name),
  schema: { type: "string", uniqueItems: true },
});
