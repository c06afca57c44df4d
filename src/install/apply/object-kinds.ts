import { builtinDefinitions } from "../../api/definitions.ts";
import { apiVersionOf, kind, type Kind } from "../../api/meta/kind.ts";
import type { KubeObject, ObjectKey } from "../../api/meta/object.ts";

/** As much of it as an installation reads back. */
export interface StatefulSet extends KubeObject {
  readonly spec: {
    readonly replicas?: number;
    readonly template: { readonly spec?: { readonly containers: readonly { readonly image?: string }[] } };
    readonly volumeClaimTemplates?: readonly {
      readonly spec?: {
        readonly storageClassName?: string;
        readonly resources?: { readonly requests?: Readonly<Record<string, string>> };
      };
    }[];
  };
  readonly status?: { readonly readyReplicas?: number };
}

export const StatefulSetKind: Kind<StatefulSet> = kind<StatefulSet>({
  group: "apps",
  version: "v1",
  kind: "StatefulSet",
  plural: "statefulsets",
});

/** Kinds of an installation that ebb's own API server does not serve. */
const others: readonly Kind[] = [
  StatefulSetKind as Kind,
  kind({ group: "", version: "v1", kind: "PersistentVolumeClaim", plural: "persistentvolumeclaims" }),
  ...["ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"].map((name) =>
    kind({
      group: "admissionregistration.k8s.io",
      version: "v1",
      kind: name,
      plural: name === "ValidatingAdmissionPolicy" ? "validatingadmissionpolicies" : `${name.toLowerCase()}s`,
      namespaced: false,
    }),
  ),
  kind({
    group: "apiregistration.k8s.io",
    version: "v1",
    kind: "APIService",
    plural: "apiservices",
    namespaced: false,
  }),
];

/** The kind of an object, by which a client is called. Throws on kinds that no installation has. */
export function kindOf({ apiVersion, kind: name }: Pick<KubeObject, "apiVersion" | "kind">): Kind {
  const all = [...builtinDefinitions.map((definition) => definition.kind), ...others];
  const found = all.find((one) => one.kind === name && apiVersionOf(one) === apiVersion);
  if (!found) throw new Error(`no kind ${name} in ${apiVersion}`);
  return found;
}

export const keyOfObject = ({ metadata: { name, namespace } }: KubeObject): ObjectKey =>
  namespace === undefined ? { name } : { namespace, name };

/** `Deployment ebb-system/ebb-router`. */
export function describe({ kind: name = "", metadata }: KubeObject): string {
  return `${name} ${metadata.namespace === undefined ? "" : `${metadata.namespace}/`}${metadata.name}`;
}
