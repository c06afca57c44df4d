import { NamespaceKind } from "../../api/core/kinds.ts";
import type { Namespace } from "../../api/core/types.gen.ts";
import { isNotFound } from "../../api/meta/errors.ts";
import { NetworkPolicyKind } from "../../api/networking/kinds.ts";
import type { NetworkPolicy } from "../../api/networking/types.gen.ts";
import { RevisionKind } from "../../api/serving/kinds.ts";
import type { Revision } from "../../api/serving/types.gen.ts";
import type { Client } from "../../client/client.ts";
import type { ControllerSpec } from "../../client/controller.ts";
import type { Informers } from "../../client/informer.ts";
import { watching } from "../../client/keys.ts";
import { covers } from "../serving/write.ts";
import { instanceAccessAnnotation, makeInstancePolicies, policyLabels, policyNames } from "./make-instance-policies.ts";

export interface InstancePolicyDeps {
  readonly client: Client;
  readonly informers: Informers;
  /** Where ebb itself runs. */
  readonly systemNamespace: string;
}

/**
 * Keeps every namespace with Revisions closed but for ebb's own pods (see {@link makeInstancePolicies}); one that says
 * `ebb.dev/instance-access: any` is left open. Keys are names of namespaces. Policies a user wrote under the same names
 * are never touched: they have not ebb's label.
 */
export function instancePolicyController({ client, informers, systemNamespace }: InstancePolicyDeps): ControllerSpec {
  const namespaces = informers.of(NamespaceKind);
  const policies = informers.of(NetworkPolicyKind);
  const revisions = informers.of(RevisionKind);

  const isWanted = (namespace: Namespace): boolean =>
    namespace.metadata.deletionTimestamp === undefined &&
    namespace.metadata.annotations?.[instanceAccessAnnotation] !== "any" &&
    revisions.list(namespace.metadata.name).length > 0;

  return {
    name: "instance-policies",
    watches: [
      watching(NamespaceKind, accessChanged),
      watching(RevisionKind, comesOrGoes),
      watching(NetworkPolicyKind, ownPolicies),
    ],
    async reconcile(name) {
      const namespace = namespaces.get(name);
      if (!namespace || namespace.metadata.deletionTimestamp !== undefined) return;
      const wanted = isWanted(namespace) ? makeInstancePolicies(name, systemNamespace) : [];
      for (const policy of wanted) {
        const present = policies.get(`${name}/${policy.metadata.name}`);
        if (!present) await client.create(NetworkPolicyKind, policy);
        else if (isOurs(present) && !covers(present.spec, policy.spec))
          await client.update(NetworkPolicyKind, { ...present, spec: policy.spec } as NetworkPolicy);
      }
      if (wanted.length > 0) return;
      for (const policyName of policyNames) {
        const present = policies.get(`${name}/${policyName}`);
        if (present && isOurs(present)) await removed(client, name, policyName);
      }
    },
  };
}

const isOurs = ({ metadata }: NetworkPolicy): boolean =>
  Object.entries(policyLabels).every(([label, value]) => metadata.labels?.[label] === value);

async function removed(client: Client, namespace: string, name: string): Promise<void> {
  try {
    await client.delete(NetworkPolicyKind, { namespace, name });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

const accessOf = (namespace: Namespace): string | undefined =>
  namespace.metadata.annotations?.[instanceAccessAnnotation];

const accessChanged = (now: Namespace, old: Namespace | undefined): readonly string[] =>
  old && accessOf(old) === accessOf(now) ? [] : [now.metadata.name];

/** A Revision that only changed makes no difference. */
const comesOrGoes = ({ metadata }: Revision, old: Revision | undefined): readonly string[] =>
  old || metadata.namespace === undefined ? [] : [metadata.namespace];

const ownPolicies = (policy: NetworkPolicy): readonly string[] =>
  policyNames.includes(policy.metadata.name) ? [policy.metadata.namespace ?? ""] : [];
