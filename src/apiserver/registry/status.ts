import type { TypeMeta } from "../../api/meta/type-meta.ts";
import type { Status } from "../../api/meta/types.gen.ts";
import type { Entry } from "../storage/entry.ts";
import type { Target } from "./request.ts";

/** What a DELETE that removed the object answers. */
export function deletionStatus({ served }: Pick<Target, "served">, { object }: Entry): Status & TypeMeta {
  const { group, plural } = served.definition.kind;
  const { name, uid } = object.metadata;
  return {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Success",
    details: { name, ...(group === "" ? {} : { group }), kind: plural, ...(uid ? { uid } : {}) },
  };
}
