import { stringify } from "yaml";
import type { KubeObject } from "../../api/meta/object.ts";

/** Objects as one YAML file, in order; the same objects give the same bytes. */
export function yamlDocuments(objects: readonly unknown[]): string {
  // No anchors for what objects share, and no line breaks inside texts: readers compare these files line by line.
  return objects.map((object) => stringify(object, { aliasDuplicateObjects: false, lineWidth: 0 })).join("---\n");
}

/** `deployment-ebb-router`: how an object is called in a folder of files. */
export const fileNameOf = ({ kind = "", metadata: { name, namespace } }: KubeObject): string =>
  [kind.toLowerCase(), name, ...(namespace === undefined ? [] : [namespace])].join("-").replaceAll(":", "-");
