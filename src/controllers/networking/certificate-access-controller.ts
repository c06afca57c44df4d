import { NamespaceKind } from "../../api/core/kinds.ts";
import { certificateAccessName } from "../../api/ebb-keys.ts";
import { isNotFound } from "../../api/meta/errors.ts";
import type { Kind } from "../../api/meta/kind.ts";
import type { Draft, KubeObject } from "../../api/meta/object.ts";
import { KIngressKind } from "../../api/networking-internal/kinds.ts";
import type { Ingress } from "../../api/networking-internal/types.gen.ts";
import { RoleBindingKind, RoleKind } from "../../api/rbac/kinds.ts";
import type { Role, RoleBinding, Subject } from "../../api/rbac/types.gen.ts";
import type { Client } from "../../client/client.ts";
import type { ControllerSpec } from "../../client/controller.ts";
import type { Informer, Informers } from "../../client/informer.ts";
import { watching } from "../../client/keys.ts";
import { covers } from "../serving/write.ts";

export interface CertificateAccessDeps {
  readonly client: Client;
  readonly informers: Informers;
  /** Users that routers are, such as `system:serviceaccount:ebb-system:ebb-router`. */
  readonly routers: readonly string[];
}

const rbac = "rbac.authorization.k8s.io";
const labels = { "app.kubernetes.io/managed-by": "ebb" } as const;

/**
 * Lets routers read the Secrets that Ingresses of a namespace have certificates in, and no others: a Role with their
 * names, and its binding, in each namespace that has such Ingresses. Keys are names of namespaces.
 *
 * An Ingress opens Secrets of its own namespace alone. The controller can grant this because it may read Secrets itself;
 * it can grant nothing else (https://kubernetes.io/docs/reference/access-authn-authz/rbac/#privilege-escalation-prevention-and-bootstrapping).
 */
export function certificateAccessController({ client, informers, routers }: CertificateAccessDeps): ControllerSpec {
  const namespaces = informers.of(NamespaceKind);
  const ingresses = informers.of(KIngressKind);
  const roles = informers.of(RoleKind);
  const bindings = informers.of(RoleBindingKind);
  return {
    name: "certificate-access",
    watches: [
      watching(KIngressKind, certificatesChanged),
      watching(RoleKind, ofThisName),
      watching(RoleBindingKind, ofThisName),
    ],
    async reconcile(namespace) {
      if (namespaces.get(namespace)?.metadata.deletionTimestamp !== undefined) return;
      const present = roles.get(`${namespace}/${certificateAccessName}`);
      // What somebody else's role allows is not to be given to routers.
      if (present !== undefined && !isOurs(present)) return;
      const names = new Set(ingresses.list(namespace).flatMap(certificateSecrets));
      if (names.size === 0) {
        await removeOurs(client, RoleBindingKind, bindings, namespace);
        await removeOurs(client, RoleKind, roles, namespace);
        return;
      }
      const metadata = { name: certificateAccessName, namespace, labels };
      await put(client, RoleKind, roles, { metadata, rules: rulesFor([...names].toSorted()) });
      // What a binding refers to cannot be changed, and this one always refers to the same.
      const roleRef = { apiGroup: rbac, kind: "Role", name: certificateAccessName };
      await put(client, RoleBindingKind, bindings, { metadata, roleRef, subjects: routers.map(subjectOf) });
    },
  };
}

const rulesFor = (resourceNames: readonly string[]): Role["rules"] => [
  { apiGroups: [""], resources: ["secrets"], verbs: ["get"], resourceNames },
];

function subjectOf(user: string): Subject {
  const [system, account, namespace, name] = user.split(":");
  if (system === "system" && account === "serviceaccount" && namespace && name)
    return { kind: "ServiceAccount", name, namespace };
  return { kind: "User", apiGroup: rbac, name: user };
}

function certificateSecrets({ metadata: { namespace }, spec }: Ingress): readonly string[] {
  return (spec.tls ?? []).flatMap(({ secretName, secretNamespace }) =>
    secretName && (secretNamespace ?? namespace) === namespace ? [secretName] : [],
  );
}

const isOurs = ({ metadata }: KubeObject): boolean =>
  Object.entries(labels).every(([label, value]) => metadata.labels?.[label] === value);

type Grant = Role | RoleBinding;

async function put<T extends Grant>(
  client: Client,
  kind: Kind<T>,
  known: Informer<T>,
  wanted: Draft<T>,
): Promise<void> {
  const present = known.get(`${wanted.metadata.namespace}/${wanted.metadata.name}`);
  if (present === undefined) await client.create(kind, wanted);
  else if (isOurs(present) && !covers(present, wanted))
    await client.update(kind, { ...present, ...wanted, metadata: present.metadata } as T);
}

async function removeOurs<T extends Grant>(
  client: Client,
  kind: Kind<T>,
  known: Informer<T>,
  namespace: string,
): Promise<void> {
  const present = known.get(`${namespace}/${certificateAccessName}`);
  if (present === undefined || !isOurs(present)) return;
  try {
    await client.delete(kind, { namespace, name: certificateAccessName });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

const tlsOf = (ingress: Ingress | undefined): string => JSON.stringify(ingress ? certificateSecrets(ingress) : []);

function certificatesChanged(now: Ingress, old: Ingress | undefined): readonly string[] {
  const unchanged = tlsOf(now) === tlsOf(old) && now.metadata.deletionTimestamp === old?.metadata.deletionTimestamp;
  return unchanged || now.metadata.namespace === undefined ? [] : [now.metadata.namespace];
}

const ofThisName = ({ metadata: { name, namespace } }: KubeObject): readonly string[] =>
  name === certificateAccessName && namespace !== undefined ? [namespace] : [];
