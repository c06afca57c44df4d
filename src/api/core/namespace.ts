/** The Namespace kind. */
import { ageColumn, nameColumn, textColumn } from "../meta/columns.ts";
import type { KindDefinition } from "../meta/definition.ts";
import { schemaOf } from "../schemas.ts";
import { NamespaceKind } from "./kinds.ts";
import type { Namespace } from "./types.gen.ts";

/** The finalizer that keeps a deleted namespace until its contents are gone. */
export const namespaceFinalizer = "kubernetes";
/** The label by which selectors find a namespace by name. */
export const namespaceNameLabel = "kubernetes.io/metadata.name";

export const namespaceDefinition: KindDefinition<Namespace> = {
  kind: NamespaceKind,
  message: "core.v1.Namespace",
  schema: () => schemaOf("core.v1.Namespace"),
  verbs: ["create", "delete", "get", "list", "patch", "update", "watch"],
  statusSubresource: true,
  otherSubresources: [{ name: "finalize", kind: { group: "", version: "v1", kind: "Namespace" }, verbs: ["update"] }],
  generation: "none",
  nameRule: "dns-label",
  columns: [
    nameColumn,
    textColumn("Status", "Active, or Terminating while its contents are removed.", ({ status }) => status?.phase ?? ""),
    ageColumn,
  ],
  selectableFields: { "status.phase": ({ status }) => status?.phase ?? "" },
  applyDefaults({ metadata }) {
    if (metadata.name) metadata.labels = { ...metadata.labels, [namespaceNameLabel]: metadata.name };
  },
  prepare(namespace, old) {
    if (old) {
      namespace.spec = { finalizers: [...(old.spec?.finalizers ?? [])] };
      return;
    }
    const finalizers = namespace.spec?.finalizers ?? [];
    namespace.spec = {
      finalizers: finalizers.includes(namespaceFinalizer) ? finalizers : [...finalizers, namespaceFinalizer],
    };
    namespace.status = { phase: "Active" };
  },
  unconditionalUpdate: true,
};
