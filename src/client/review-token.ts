import { createHash } from "node:crypto";
import { TokenReviewKind } from "../api/authentication/kinds.ts";
import type { UserInfo } from "../api/authentication/types.gen.ts";
import type { Client } from "./client.ts";
import type { Clock } from "./clock.ts";

/** Whose token it is. */
export interface TokenUser {
  readonly name: string;
  readonly groups: readonly string[];
  /** Uid of the pod it was made for, while that lives; absent for one that no pod has. */
  readonly podUid?: string;
  /** When the token ends, milliseconds since the epoch. */
  readonly expiresAtMs: number;
}

export interface TokenReviewerDeps {
  readonly client: Client;
  readonly clock: Clock;
}

/** Says whose token this is; undefined for a bad one. Throws an ApiError when the API server cannot be asked. */
export type ReviewToken = (token: string) => Promise<TokenUser | undefined>;

/** A token that cannot be read for its end is asked about again after this. */
const unknownEndMs = 60_000;
/** A bad token is not asked about again for this long. */
const refusedMs = 10_000;
const maxKept = 1000;

/**
 * Has the API server check tokens meant for `audience` (TokenReview). A good token is remembered until it ends, by its
 * digest, so that no token lies in memory and a router that comes back costs no request; one check serves everybody who
 * asks meanwhile.
 */
export function createTokenReviewer({ client, clock }: TokenReviewerDeps, audience: string): ReviewToken {
  const kept = new Map<string, { readonly untilMs: number; readonly user: Promise<TokenUser | undefined> }>();

  const ask = async (token: string, key: string): Promise<TokenUser | undefined> => {
    try {
      const { status } = await client.create(TokenReviewKind, { metadata: {}, spec: { token, audiences: [audience] } });
      const good = status?.authenticated === true && status.audiences?.includes(audience) === true;
      const expiresAtMs = endOf(token) ?? clock.now() + unknownEndMs;
      const user = good ? userOf(status.user, expiresAtMs) : undefined;
      kept.set(key, { untilMs: user ? expiresAtMs : clock.now() + refusedMs, user: Promise.resolve(user) });
      return user;
    } catch (error) {
      kept.delete(key);
      throw error;
    }
  };

  return (token) => {
    const key = createHash("sha256").update(token).digest("base64");
    const found = kept.get(key);
    if (found && clock.now() < found.untilMs) return found.user;
    for (const oldest of kept.keys()) {
      if (kept.size < maxKept) break;
      kept.delete(oldest);
    }
    const user = ask(token, key);
    kept.set(key, { untilMs: Number.POSITIVE_INFINITY, user });
    return user;
  };
}

/** Facts of the token's pod (k8s.io/apiserver pkg/authentication/serviceaccount PodUIDKey). */
const podUidKey = "authentication.kubernetes.io/pod-uid";

function userOf(user: UserInfo | undefined, expiresAtMs: number): TokenUser {
  const podUid = user?.extra?.[podUidKey]?.[0];
  const known = { name: user?.username ?? "", groups: user?.groups ?? [], expiresAtMs };
  return podUid === undefined ? known : { ...known, podUid };
}

/** The `exp` claim of a JWT, in milliseconds. Read without a check of the signature: the API server made that. */
function endOf(token: string): number | undefined {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
    const exp = typeof claims === "object" && claims !== null && "exp" in claims ? claims.exp : undefined;
    return typeof exp === "number" ? exp * 1000 : undefined;
  } catch {
    return undefined;
  }
}
