import type { NetworkPolicy } from "../../api/networking/types.gen.ts";
import type { Draft } from "../../api/meta/object.ts";
import { servingKeys } from "../../api/serving/keys.ts";

/** On a Namespace, with the value `any`: no policies are made, and whatever was there is taken away. */
export const instanceAccessAnnotation = "ebb.dev/instance-access";

/** On the policies, for who looks after them. */
export const policyLabels = { "app.kubernetes.io/managed-by": "ebb", "ebb.dev/policy": "instances" } as const;

/** Labels by which pods are known that take requests, or wait to. */
const guarded = { "ebb-instances": servingKeys.revision, "ebb-warm-pods": "ebb.dev/warm-pool" } as const;

export const policyNames = Object.keys(guarded);

/**
 * The policies of a namespace with Services: its instances are reached from ebb's own pods alone. NetworkPolicies add
 * up, so whatever else is to reach them, a policy of the user's allows. The node a pod runs on always reaches it, which
 * is how the kubelet probes (https://kubernetes.io/docs/concepts/services-networking/network-policies/).
 */
export function makeInstancePolicies(namespace: string, systemNamespace: string): readonly Draft<NetworkPolicy>[] {
  const from = {
    namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": systemNamespace } },
    podSelector: { matchLabels: { "app.kubernetes.io/name": "ebb" } },
  };
  return Object.entries(guarded).map(([name, label]) => ({
    metadata: { name, namespace, labels: policyLabels },
    spec: {
      podSelector: { matchExpressions: [{ key: label, operator: "Exists" }] },
      policyTypes: ["Ingress"],
      ingress: [{ from: [from] }],
    },
  }));
}
