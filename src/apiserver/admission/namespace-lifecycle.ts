import { failure, forbidden, notFound } from "../../api/meta/errors.ts";
import type { KubeObject } from "../../api/meta/object.ts";
import { checkNamespaceDeletable } from "../registry/delete.ts";
import type { AdmissionRequest, AdmissionStep } from "./admission.ts";

/** Objects are created in namespaces that exist and stay; the system's own namespaces cannot be deleted. */
export const namespaceLifecycle: AdmissionStep = {
  name: "NamespaceLifecycle",
  mutate(request) {
    if (request.operation === "create" && request.namespace && !request.subresource) requireNamespace(request);
  },
  validate(request) {
    if (request.operation === "delete" && request.served.resource === "/namespaces")
      checkNamespaceDeletable(request, request.name);
  },
};

function requireNamespace({ store, served, name, namespace = "" }: AdmissionRequest): void {
  const found = store.get("/namespaces", namespace)?.object as
    | (KubeObject & { status?: { phase?: string } })
    | undefined;
  if (!found) throw notFound({ group: "", plural: "namespaces" }, namespace);
  if (!found.metadata.deletionTimestamp && found.status?.phase !== "Terminating") return;
  const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
  const error = forbidden(served.definition.kind, name, why);
  const cause = {
    reason: "NamespaceTerminating",
    message: `namespace ${namespace} is being terminated`,
    field: "metadata.namespace",
  };
  throw failure(403, "Forbidden", error.message, { ...error.status.details, causes: [cause] });
}
