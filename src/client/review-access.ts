import { SubjectAccessReviewKind } from "../api/authorization/kinds.ts";
import type { ResourceAttributes } from "../api/authorization/types.gen.ts";
import type { Client } from "./client.ts";
import type { Clock } from "./clock.ts";

/** A user as another server has authenticated them. */
export interface ReviewedUser {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

export interface AccessVerdict {
  readonly allowed: boolean;
  readonly reason: string;
}

/** Whether a user may do something. Throws an ApiError when the API server cannot be asked. */
export type ReviewAccess = (user: ReviewedUser, wanted: ResourceAttributes) => Promise<AccessVerdict>;

/** An answer stands for this long, as in upstream's extension servers. */
const keptMs = 10_000;
const maxKept = 1000;

/** Has the API server say who may do what (SubjectAccessReview). */
export function createAccessReviewer({
  client,
  clock,
}: {
  readonly client: Client;
  readonly clock: Clock;
}): ReviewAccess {
  const kept = new Map<string, { readonly untilMs: number; readonly verdict: Promise<AccessVerdict> }>();

  const ask = async (
    { name, ...user }: ReviewedUser,
    resourceAttributes: ResourceAttributes,
  ): Promise<AccessVerdict> => {
    const { status } = await client.create(SubjectAccessReviewKind, {
      metadata: {},
      spec: { user: name, ...user, resourceAttributes },
    });
    return { allowed: status?.allowed === true, reason: status?.reason ?? "" };
  };

  return (user, wanted) => {
    const key = JSON.stringify([user, wanted]);
    const found = kept.get(key);
    if (found && clock.steadyMs() < found.untilMs) return found.verdict;
    for (const oldest of kept.keys()) {
      if (kept.size < maxKept) break;
      kept.delete(oldest);
    }
    const verdict = ask(user, wanted);
    kept.set(key, { untilMs: clock.steadyMs() + keptMs, verdict });
    verdict.catch(() => kept.delete(key));
    return verdict;
  };
}
