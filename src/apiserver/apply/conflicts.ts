/** The answer to an apply that would take fields from other managers (apimachinery pkg/util/managedfields/internal/conflict.go). */
import { failure, type ApiError } from "../../api/meta/errors.ts";
import type { StatusCause } from "../../api/meta/types.gen.ts";
import { forEachPath, printPath, type FieldSet } from "./field-set.ts";
import type { Manager } from "./managers.ts";

export interface Conflict {
  readonly manager: Manager;
  readonly fields: FieldSet;
}

/** 409 naming every field and its owner, all of them at once. */
export function applyConflict(conflicts: readonly Conflict[]): ApiError {
  const found: { owner: string; path: string }[] = [];
  for (const { manager, fields } of conflicts) {
    forEachPath(fields, (path) => found.push({ owner: printManager(manager), path: printPath(path) }));
  }
  const causes: StatusCause[] = found.map(({ owner, path }) => ({
    reason: "FieldManagerConflict",
    message: `conflict with ${owner}`,
    field: path,
  }));
  return failure(409, "Conflict", messageOf(found), { causes });
}

function messageOf(found: readonly { owner: string; path: string }[]): string {
  const [first] = found;
  if (first && found.length === 1) return `Apply failed with 1 conflict: conflict with ${first.owner}: ${first.path}`;
  const owners = [...new Set(found.map(({ owner }) => owner))].sort();
  const lines = owners.flatMap((owner) => [
    `conflicts with ${owner}:`,
    ...found.filter((conflict) => conflict.owner === owner).map(({ path }) => `- ${path}`),
  ]);
  return `Apply failed with ${found.length} conflicts: ${lines.join("\n")}`;
}

/** `"kubectl-edit" with subresource "scale" using apps/v1`; an applier is named alone. */
function printManager({ name, operation, apiVersion, subresource }: Manager): string {
  const quoted = JSON.stringify(name) + (subresource === "" ? "" : ` with subresource ${JSON.stringify(subresource)}`);
  return operation === "Update" ? `${quoted} using ${apiVersion}` : quoted;
}
