/** The CustomResourceDefinition kind. Its checks are the server's, which compiles what it checks: apiserver/crd/validate-crd.ts. */
import { createdAtColumn, nameColumn } from "../meta/columns.ts";
import type { KindDefinition } from "../meta/definition.ts";
import type { Mutable } from "../meta/object.ts";
import { schemaOf } from "../schemas.ts";
import { CustomResourceDefinitionKind } from "./kinds.ts";
import type { CustomResourceDefinition, CustomResourceDefinitionSpec } from "./types.gen.ts";

/** Keeps a deleted definition until every object of its kind is gone. */
export const customResourceCleanupFinalizer = "customresourcecleanup.apiextensions.k8s.io";

function defaultSpec(spec: Mutable<CustomResourceDefinitionSpec>): void {
  if (spec.names?.kind) {
    spec.names.singular ||= spec.names.kind.toLowerCase();
    spec.names.listKind ||= `${spec.names.kind}List`;
  }
  spec.scope ||= "Namespaced";
  spec.conversion ??= { strategy: "None" };
}

export const customResourceDefinitionDefinition: KindDefinition<CustomResourceDefinition> = {
  kind: CustomResourceDefinitionKind,
  message: "apiextensions.v1.CustomResourceDefinition",
  schema: () => schemaOf("apiextensions.v1.CustomResourceDefinition"),
  statusSubresource: true,
  generation: "spec",
  columns: [nameColumn, createdAtColumn],
  applyDefaults({ spec }) {
    if (spec) defaultSpec(spec);
  },
  prepare(definition, old) {
    if (old) return;
    const storage = definition.spec?.versions?.find((version) => version.storage)?.name;
    definition.status = { storedVersions: storage === undefined ? [] : [storage] };
  },
  unconditionalUpdate: false,
};
