import { kind } from "../meta/kind.ts";
import type { SubjectAccessReview } from "./types.gen.ts";

/** Created only: the answer is its status, and nothing is kept. */
export const SubjectAccessReviewKind = kind<SubjectAccessReview>({
  group: "authorization.k8s.io",
  version: "v1",
  kind: "SubjectAccessReview",
  plural: "subjectaccessreviews",
  namespaced: false,
});
