import { kind } from "../meta/kind.ts";
import type { TokenReview } from "./types.gen.ts";

/** Created only: the answer is its status, and nothing is kept. */
export const TokenReviewKind = kind<TokenReview>({
  group: "authentication.k8s.io",
  version: "v1",
  kind: "TokenReview",
  plural: "tokenreviews",
  namespaced: false,
});
