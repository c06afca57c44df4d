/** Field tables of authorization/v1; the notation is explained in ../meta/message.ts. */
export const messages = `
package authorization.v1

ExtraValue
  1 items []string

FieldSelectorAttributes
  1 rawSelector string
  2 requirements []meta.FieldSelectorRequirement

LabelSelectorAttributes
  1 rawSelector string
  2 requirements []meta.LabelSelectorRequirement

LocalSubjectAccessReview -- Asks whether somebody may do something in one namespace.
  1 metadata meta.ObjectMeta~
  2 spec SubjectAccessReviewSpec! -- Who wants to do what.
  3 status SubjectAccessReviewStatus -- Whether they may.

NonResourceAttributes
  1 path string -- The path.
  2 verb string -- Verb, such as get.

NonResourceRule
  1 verbs []string
  2 nonResourceURLs []string

ResourceAttributes
  1 namespace string -- Namespace; all if empty.
  2 verb string -- Verb, such as get; * for all.
  3 group string -- Group of the resource.
  4 version string -- Version of the resource.
  5 resource string -- The resource, such as pods.
  6 subresource string -- The subresource, such as log.
  7 name string -- Name of the object; all if empty.
  8 fieldSelector FieldSelectorAttributes
  9 labelSelector LabelSelectorAttributes

ResourceRule
  1 verbs []string
  2 apiGroups []string
  3 resources []string
  4 resourceNames []string

SelfSubjectAccessReview -- Asks whether you may do something.
  1 metadata meta.ObjectMeta~
  2 spec SelfSubjectAccessReviewSpec! -- What you want to do.
  3 status SubjectAccessReviewStatus -- Whether you may.

SelfSubjectAccessReviewSpec
  1 resourceAttributes ResourceAttributes -- Something about a resource.
  2 nonResourceAttributes NonResourceAttributes -- Something about a path that is no resource.

SelfSubjectRulesReview -- Lists what you may do in a namespace.
  1 metadata meta.ObjectMeta~
  2 spec SelfSubjectRulesReviewSpec! -- The namespace.
  3 status SubjectRulesReviewStatus -- What you may do.

SelfSubjectRulesReviewSpec
  1 namespace string -- The namespace.

SubjectAccessReview -- Asks whether somebody may do something.
  1 metadata meta.ObjectMeta~
  2 spec SubjectAccessReviewSpec! -- Who wants to do what.
  3 status SubjectAccessReviewStatus -- Whether they may.

SubjectAccessReviewSpec
  1 resourceAttributes ResourceAttributes -- Something about a resource.
  2 nonResourceAttributes NonResourceAttributes -- Something about a path that is no resource.
  3 user string -- Name of the user.
  4 groups []string -- Groups of the user.
  5 extra map<string,ExtraValue> -- Further facts about the user.
  6 uid string -- Id of the user.

SubjectAccessReviewStatus
  1 allowed bool -- Whether it is allowed.
  2 reason string -- Why.
  3 evaluationError string -- What went wrong while it was decided.
  4 denied bool -- Whether it is forbidden whatever others say.

SubjectRulesReviewStatus
  1 resourceRules []ResourceRule -- What you may do with resources.
  2 nonResourceRules []NonResourceRule -- What you may do with paths that are no resources.
  3 incomplete bool -- Whether there may be more.
  4 evaluationError string -- What went wrong while it was put together.
`;
