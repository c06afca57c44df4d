import { failure, isApiError, type ApiError } from "../api/meta/errors.ts";
import type { KubeObject } from "../api/meta/object.ts";
import type { Client } from "./client.ts";
import type { Informer } from "./informer.ts";

const reason = "NamespaceTerminating";

/** What API servers say to a create in a namespace that is being deleted. */
export const isNamespaceTerminating = (error: unknown): boolean =>
  isApiError(error) && (error.status.details?.causes ?? []).some((cause) => cause.reason === reason);

/**
 * The same client, which does not ask for what is refused or in vain: to create in a namespace that is being deleted, or
 * to tell the status of what goes with it. It fails as the server would have it fail. A namespace with a thousand
 * objects otherwise has each of them made anew as it goes, and takes the turn of everybody else's requests.
 */
export function sparingTerminating(client: Client, namespaces: Pick<Informer, "get">): Client {
  const spare = ({ namespace, name }: Partial<KubeObject["metadata"]>): void => {
    if (namespace !== undefined && namespaces.get(namespace)?.metadata.deletionTimestamp !== undefined)
      throw terminating(namespace, name ?? "");
  };
  return {
    get: (kind, key, options) => client.get(kind, key, options),
    list: (kind, options) => client.list(kind, options),
    watch: (kind, options) => client.watch(kind, options),
    delete: (kind, key, options) => client.delete(kind, key, options),
    create: async (kind, object, options) => {
      spare(object.metadata);
      return client.create(kind, object, options);
    },
    // Whole updates take finalizers off: without them the namespace would never go.
    update: async (kind, object, options) => {
      if (options?.subresource === "status") spare(object.metadata);
      return client.update(kind, object, options);
    },
    patch: (kind, key, patch, options) => client.patch(kind, key, patch, options),
  };
}

function terminating(namespace: string, name: string): ApiError {
  const message = `unable to create new content in namespace ${namespace} because it is being terminated`;
  const causes = [{ reason, message: `namespace ${namespace} is being terminated`, field: "metadata.namespace" }];
  return failure(403, "Forbidden", message, { name, causes });
}
