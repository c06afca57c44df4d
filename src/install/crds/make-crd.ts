import type {
  CustomResourceColumnDefinition,
  CustomResourceDefinition,
  CustomResourceDefinitionVersion,
  JSONSchemaProps,
} from "../../api/apiextensions/types.gen.ts";
import type { KindDefinition } from "../../api/meta/definition.ts";
import { resourceOf } from "../../api/meta/kind.ts";
import { nameOf, systemNamespace } from "../names.ts";
import type { CustomKind } from "./custom-kinds.ts";
import { duckLabels } from "./duck-labels.ts";
import { structuralSchema } from "./structural-schema.ts";

/** The CustomResourceDefinition of a kind, as a conformant API server accepts it. */
export function makeCrd({ stored, versions, converted }: CustomKind): CustomResourceDefinition {
  const { kind } = stored;
  const labels = duckLabels(kind);
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: {
      name: resourceOf(kind),
      ...(Object.keys(labels).length > 0 ? { labels } : {}),
    },
    spec: {
      group: kind.group,
      names: {
        kind: kind.kind,
        listKind: `${kind.kind}List`,
        plural: kind.plural,
        singular: kind.singular,
        ...(kind.shortNames.length > 0 ? { shortNames: kind.shortNames } : {}),
        ...(kind.categories.length > 0 ? { categories: kind.categories } : {}),
      },
      scope: kind.namespaced ? "Namespaced" : "Cluster",
      versions: [...versions, ...converted].map((version) => makeVersion(version, version === stored)),
      ...(converted.length > 0 ? { conversion } : {}),
    },
  };
}

/** The certificate authority is written in by the controller. */
const conversion = {
  strategy: "Webhook",
  webhook: {
    conversionReviewVersions: ["v1"],
    clientConfig: {
      service: { name: nameOf("controller"), namespace: systemNamespace, path: "/convert", port: 443 },
    },
  },
};

function makeVersion(definition: KindDefinition, storage: boolean): CustomResourceDefinitionVersion {
  const { scale, statusSubresource } = definition;
  const columns = definition.columns
    .filter(({ name }) => name !== "Name")
    .map((column) => makeColumn(column, definition));
  return {
    name: definition.kind.version,
    served: true,
    storage,
    schema: { openAPIV3Schema: structuralSchema(definition.schema()) as JSONSchemaProps },
    ...(statusSubresource || scale
      ? {
          subresources: {
            ...(statusSubresource ? { status: {} } : {}),
            ...(scale
              ? {
                  scale: {
                    specReplicasPath: scale.specReplicas,
                    statusReplicasPath: scale.statusReplicas,
                    ...(scale.labelSelector ? { labelSelectorPath: scale.labelSelector } : {}),
                  },
                }
              : {}),
          },
        }
      : {}),
    ...(columns.length > 0 ? { additionalPrinterColumns: columns } : {}),
  };
}

function makeColumn(
  { name, type, format, description, priority, jsonPath }: KindDefinition["columns"][number],
  { kind }: KindDefinition,
): CustomResourceColumnDefinition {
  // Age is told by the server from this path, whatever the column's own cell does.
  const path = jsonPath ?? (name === "Age" ? ".metadata.creationTimestamp" : undefined);
  if (path === undefined) throw new Error(`the column ${name} of ${kind.kind} has no jsonPath for its CRD`);
  return {
    name,
    type: name === "Age" ? "date" : type,
    ...(format ? { format } : {}),
    ...(description ? { description } : {}),
    ...(priority ? { priority } : {}),
    jsonPath: path,
  };
}
