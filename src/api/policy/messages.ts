/** Field tables of policy/v1; the notation is explained in ../meta/message.ts. */
export const messages = `
package policy.v1

Eviction -- Asks to delete a pod, if its budgets let it go.
  1 metadata meta.ObjectMeta~
  2 deleteOptions meta.DeleteOptions

PodDisruptionBudget -- Limits how many pods of a group may be taken away at the same time by eviction.
  1 metadata meta.ObjectMeta~ -- Name, namespace, labels and what else every object has.
  2 spec PodDisruptionBudgetSpec~ -- Which pods, and how many must stay.
  3 status PodDisruptionBudgetStatus -- How many may go now.

PodDisruptionBudgetSpec
  1 minAvailable IntOrString -- How many must stay, as number or percentage. Not together with maxUnavailable.
  2 selector meta.LabelSelector replace -- The pods.
  3 maxUnavailable IntOrString -- How many may be away, as number or percentage.
  4 unhealthyPodEvictionPolicy string? enum=AlwaysAllow|IfHealthyBudget -- Whether pods that are not ready may always be evicted.

PodDisruptionBudgetStatus
  1 observedGeneration int64 -- The generation this status tells about.
  2 disruptedPods map<string,Time> -- Pods whose eviction was allowed and is not done yet.
  3 disruptionsAllowed int32 -- How many may go now.
  4 currentHealthy int32 -- Pods that are ready.
  5 desiredHealthy int32 -- Pods that must be.
  6 expectedPods int32 -- Pods counted.
  7 conditions []meta.Condition merge=type map=type -- What holds for it now.
`;
