/** Field tables of rbac/v1; the notation is explained in ../meta/message.ts. */
export const messages = `
package rbac.v1

AggregationRule
  1 clusterRoleSelectors []meta.LabelSelector -- Which ClusterRoles to take the rules of.

ClusterRole -- Rules about what may be done in all namespaces, or in those where a RoleBinding grants it.
  1 metadata meta.ObjectMeta~ -- Name, labels and what else every object has.
  2 rules []PolicyRule -- What is allowed. There are no rules that forbid.
  3 aggregationRule AggregationRule -- Take the rules of the ClusterRoles with these labels.

ClusterRoleBinding -- Gives the rights of a ClusterRole to users in all namespaces.
  1 metadata meta.ObjectMeta~ -- Name, labels and what else every object has.
  2 subjects []Subject -- Who gets the rights.
  3 roleRef RoleRef! -- The ClusterRole. Cannot be changed.

PolicyRule -- Some verbs on some resources.
  1 verbs []string! -- What may be done, such as get, list, watch, create, update, patch, delete; * for all.
  2 apiGroups []string -- Groups of the resources; "" is the core group, * all.
  3 resources []string -- Resources, such as pods or pods/log; * for all.
  4 resourceNames []string -- Only objects of these names; all if empty.
  5 nonResourceURLs []string -- Paths that are no resources, such as /metrics; in ClusterRoles only.

Role -- Rules about what may be done in one namespace.
  1 metadata meta.ObjectMeta~ -- Name, namespace, labels and what else every object has.
  2 rules []PolicyRule~ -- What is allowed. There are no rules that forbid.

RoleBinding -- Gives the rights of a role to users in one namespace.
  1 metadata meta.ObjectMeta~ -- Name, namespace, labels and what else every object has.
  2 subjects []Subject -- Who gets the rights.
  3 roleRef RoleRef! -- The Role or ClusterRole. Cannot be changed.

RoleRef atomic
  1 apiGroup string! -- rbac.authorization.k8s.io.
  2 kind string! -- Role or ClusterRole.
  3 name string! -- Name of the role.

Subject atomic
  1 kind string! -- User, Group or ServiceAccount.
  2 apiGroup string -- Group of the kind; empty for a ServiceAccount.
  3 name string! -- Name of the subject.
  4 namespace string -- Namespace of a ServiceAccount.
`;
