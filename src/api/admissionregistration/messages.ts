/** Field tables of admissionregistration/v1; the notation is explained in ../meta/message.ts. */
export const messages = `
package admissionregistration.v1

MatchCondition
  1 name string! -- Names the condition in messages; unlike the others'.
  2 expression string! -- CEL over object, oldObject and request; true lets the webhook be asked.

MutatingWebhook
  1 name string! -- Fully qualified, such as defaults.example.com.
  2 clientConfig WebhookClientConfig! -- Where it is asked.
  3 rules []RuleWithOperations -- Which writes it is asked about.
  4 failurePolicy string? enum=Fail|Ignore -- What becomes of the write when it cannot be asked.
  5 namespaceSelector meta.LabelSelector -- Only objects in such namespaces.
  6 sideEffects string?! enum=None|NoneOnDryRun -- Whether asking it changes anything.
  7 timeoutSeconds int32? -- How long it may take, 1 to 30.
  8 admissionReviewVersions []string! -- Versions of the review it reads; the first that is known is sent.
  9 matchPolicy string? enum=Exact|Equivalent -- Whether other versions of the same kind match too.
  10 reinvocationPolicy string? enum=Never|IfNeeded -- Whether it is asked again when a later one changed the object.
  11 objectSelector meta.LabelSelector -- Only objects with such labels.
  12 matchConditions []MatchCondition merge=name map=name -- All must be true for it to be asked.

MutatingWebhookConfiguration -- Webhooks that may change objects on their way in.
  1 metadata meta.ObjectMeta~ -- Name, labels and what else every object has.
  2 webhooks []MutatingWebhook merge=name map=name -- Asked in this order.

RuleWithOperations
  1 operations []string -- CREATE, UPDATE, DELETE, CONNECT or *.
  2 rule Rule inline

Rule
  1 apiGroups []string -- API groups, or *.
  2 apiVersions []string -- Versions, or *.
  3 resources []string -- Plurals, with /subresource for those; or *.
  4 scope string? enum=Cluster|Namespaced|* -- Whether namespaced kinds match, others, or both.

ServiceReference
  1 namespace string! -- The service's namespace.
  2 name string! -- The service's name.
  3 path string? -- Path of the requests.
  4 port int32? -- The service's port; 443 if unset.

ValidatingWebhook
  1 name string! -- Fully qualified, such as checks.example.com.
  2 clientConfig WebhookClientConfig! -- Where it is asked.
  3 rules []RuleWithOperations -- Which writes it is asked about.
  4 failurePolicy string? enum=Fail|Ignore -- What becomes of the write when it cannot be asked.
  5 namespaceSelector meta.LabelSelector -- Only objects in such namespaces.
  6 sideEffects string?! enum=None|NoneOnDryRun -- Whether asking it changes anything.
  7 timeoutSeconds int32? -- How long it may take, 1 to 30.
  8 admissionReviewVersions []string! -- Versions of the review it reads; the first that is known is sent.
  9 matchPolicy string? enum=Exact|Equivalent -- Whether other versions of the same kind match too.
  10 objectSelector meta.LabelSelector -- Only objects with such labels.
  11 matchConditions []MatchCondition merge=name map=name -- All must be true for it to be asked.

ValidatingWebhookConfiguration -- Webhooks that may refuse objects on their way in.
  1 metadata meta.ObjectMeta~ -- Name, labels and what else every object has.
  2 webhooks []ValidatingWebhook merge=name map=name -- All are asked at once.

WebhookClientConfig
  1 service ServiceReference -- A service of this cluster; either this or url.
  2 caBundle bytes -- PEM of the authorities that may vouch for it; the machine's if unset.
  3 url string? -- An https address.
`;
