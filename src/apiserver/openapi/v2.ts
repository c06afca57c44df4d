/** OpenAPI v2 (Swagger), which clients before 1.27 read: one document for everything. */
import type { JsonObject } from "../schema/json-value.ts";
import { documentInfo, documentParts, pathParameterText, tagOf, type Names } from "./document-parts.ts";
import type { Operation, Published } from "./operations.ts";
import { refTo, type Components } from "./published-schema.ts";

/** The JSON form of the document; the protobuf form says the same. */
export function openApiV2(kinds: readonly Published[]): JsonObject {
  const { paths, components } = documentParts(kinds, "v2", { describe, pathParameter });
  return { swagger: "2.0", info: documentInfo, paths, definitions: components };
}

function describe(operation: Operation, names: Names, components: Components): JsonObject {
  const body = bodyParameter(operation, names, components);
  const query = operation.query.map(({ name, type, description }) => ({ name, in: "query", type, description }));
  return {
    operationId: operation.id,
    tags: [tagOf(operation)],
    consumes: operation.body === "patch" ? [...operation.patchTypes] : ["*/*"],
    produces: ["application/json"],
    parameters: body ? [body, ...query] : query,
    responses: {
      [operation.method === "post" ? "201" : "200"]: {
        description: "OK",
        schema: refTo(components, names[operation.reply]),
      },
      "401": { description: "Unauthorized" },
    },
    "x-kubernetes-action": operation.action,
    "x-kubernetes-group-version-kind": operation.gvk,
  };
}

function bodyParameter(operation: Operation, names: Names, components: Components): JsonObject | undefined {
  if (operation.body === undefined) return undefined;
  const schema =
    operation.body === "patch"
      ? { type: "object" }
      : refTo(components, operation.body === "object" ? names.object : names.options);
  return { name: "body", in: "body", ...(operation.body === "options" ? {} : { required: true }), schema };
}

const pathParameter = (name: string): JsonObject => ({
  name,
  in: "path",
  required: true,
  type: "string",
  description: pathParameterText(name),
});
