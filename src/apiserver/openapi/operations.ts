/** The operations a kind offers, independent of the version of OpenAPI that describes them. */
import type { KindDefinition } from "../../api/meta/definition.ts";
import type { Kind } from "../../api/meta/kind.ts";

/** A kind as it is published; the API server's catalog holds such values. */
export interface Published {
  readonly definition: KindDefinition;
  /** Brought by a CustomResourceDefinition: no strategic merge patches. */
  readonly custom: boolean;
}

export type Method = "get" | "put" | "post" | "delete" | "patch";
export type Gvk = Pick<Kind, "group" | "version" | "kind">;

export interface Operation {
  readonly path: string;
  readonly method: Method;
  /** `x-kubernetes-action`. */
  readonly action: string;
  readonly id: string;
  readonly gvk: Gvk;
  /** What the body and the reply hold: the object, a list of them, a Status. */
  readonly body?: "object" | "patch" | "options";
  readonly reply: "object" | "list" | "status";
  readonly query: readonly QueryParameter[];
  readonly pathParameters: readonly string[];
  readonly patchTypes: readonly string[];
}

export interface QueryParameter {
  readonly name: string;
  readonly type: "string" | "boolean" | "integer";
  readonly description: string;
}

const parameter = (name: string, type: QueryParameter["type"], description: string): QueryParameter => ({
  name,
  type,
  description,
});

const dryRun = parameter("dryRun", "string", "`All` runs every stage of the request and stores nothing.");
const fieldManager = parameter("fieldManager", "string", "Names who makes the change, for metadata.managedFields.");
const fieldValidation = parameter(
  "fieldValidation",
  "string",
  "What to do about unknown and duplicate fields: `Ignore`, `Warn` (the default) or `Strict`.",
);
const force = parameter("force", "boolean", "Apply only: take over fields that others own.");
const writeQuery = [dryRun, fieldManager, fieldValidation];
const listQuery = [
  parameter("labelSelector", "string", "Only objects with matching labels."),
  parameter("fieldSelector", "string", "Only objects with matching fields."),
  parameter("limit", "integer", "How many objects to answer at most; the reply then tells how to continue."),
  parameter("continue", "string", "The token of the page before."),
  parameter("resourceVersion", "string", "The version to read at or watch from."),
  parameter("resourceVersionMatch", "string", "How resourceVersion is meant: `Exact` or `NotOlderThan`."),
  parameter("watch", "boolean", "Answer with a stream of changes instead of a list."),
  parameter("allowWatchBookmarks", "boolean", "Send bookmarks with the version reached."),
  parameter("sendInitialEvents", "boolean", "Begin a watch with the objects there are."),
  parameter("timeoutSeconds", "integer", "End a watch after this time."),
];
const deleteQuery = [
  dryRun,
  parameter("gracePeriodSeconds", "integer", "How long the object has to end by itself."),
  parameter("propagationPolicy", "string", "What becomes of dependents: `Orphan`, `Background` or `Foreground`."),
];

const scaleGvk: Gvk = { group: "autoscaling", version: "v1", kind: "Scale" };

/** Every operation of a kind: on the collection, on one object, on `status` and `scale`. */
export function operationsOf({ definition, custom }: Published): Operation[] {
  const { kind } = definition;
  const verbs = new Set(definition.verbs ?? ["create", "delete", "deletecollection", "get", "list", "patch", "update"]);
  const root = kind.group === "" ? `/api/${kind.version}` : `/apis/${kind.group}/${kind.version}`;
  const collection = `${root}${kind.namespaced ? "/namespaces/{namespace}" : ""}/${kind.plural}`;
  const patchTypes = [
    "application/json-patch+json",
    "application/merge-patch+json",
    ...(custom ? [] : ["application/strategic-merge-patch+json"]),
    "application/apply-patch+yaml",
  ];
  const make = makeOperation(kind, patchTypes);
  const all: (Operation | undefined)[] = [
    verbs.has("list") ? make("get", "list", { path: collection, reply: "list", query: listQuery }) : undefined,
    kind.namespaced && verbs.has("list")
      ? make("get", "list", { path: `${root}/${kind.plural}`, reply: "list", query: listQuery })
      : undefined,
    verbs.has("create") ? make("post", "post", { path: collection, body: "object", query: writeQuery }) : undefined,
    verbs.has("deletecollection")
      ? make("delete", "deletecollection", {
          path: collection,
          body: "options",
          reply: "status",
          query: [...deleteQuery, ...listQuery.slice(0, 6)],
        })
      : undefined,
    ...objectOperations(make, `${collection}/{name}`, verbs),
  ];
  if (definition.statusSubresource) all.push(...subresource(make, `${collection}/{name}/status`));
  if (definition.scale)
    all.push(...subresource(makeOperation(kind, patchTypes, scaleGvk), `${collection}/{name}/scale`));
  return all.filter((operation) => operation !== undefined);
}

type Facts = Pick<Operation, "path"> & Partial<Pick<Operation, "body" | "reply" | "query">>;
type Make = (method: Method, action: string, facts: Facts) => Operation;

function makeOperation(kind: Kind, patchTypes: readonly string[], gvk: Gvk = gvkOf(kind)): Make {
  return (method, action, { path, body, reply = "object", query = [] }) => ({
    path,
    method,
    action,
    id: operationId(action, kind, path),
    gvk,
    ...(body ? { body } : {}),
    reply,
    query,
    pathParameters: [...path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => name),
    patchTypes,
  });
}

export const gvkOf = ({ group, version, kind }: Kind): Gvk => ({ group, version, kind });

function objectOperations(make: Make, path: string, verbs: ReadonlySet<string>): (Operation | undefined)[] {
  return [
    verbs.has("get") ? make("get", "get", { path }) : undefined,
    verbs.has("update") ? make("put", "put", { path, body: "object", query: writeQuery }) : undefined,
    verbs.has("patch") ? make("patch", "patch", { path, body: "patch", query: [...writeQuery, force] }) : undefined,
    verbs.has("delete")
      ? make("delete", "delete", { path, body: "options", reply: "status", query: deleteQuery })
      : undefined,
  ];
}

const subresource = (make: Make, path: string): (Operation | undefined)[] =>
  objectOperations(make, path, new Set(["get", "update", "patch"]));

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

const idVerbs: Readonly<Record<string, string>> = {
  post: "create",
  put: "replace",
  get: "read",
  deletecollection: "deleteCollection",
};

/** `listCoreV1NamespacedPod`, `replaceAppsV1NamespacedDeploymentStatus`. */
function operationId(action: string, kind: Kind, path: string): string {
  const group = kind.group === "" ? "Core" : (kind.group.split(".", 1)[0] ?? "").split("-").map(capital).join("");
  const scope = path.includes("{namespace}") ? "Namespaced" : "";
  const everywhere = action === "list" && kind.namespaced && scope === "" ? "ForAllNamespaces" : "";
  const sub = path.split("{name}/")[1] ?? "";
  return `${idVerbs[action] ?? action}${group}${capital(kind.version)}${scope}${kind.kind}${capital(sub)}${everywhere}`;
}
