/** Tokens that go along with events, kept until four fifths of their time are over. */
import type { SenderIdentity } from "../../api/eventing/access.ts";
import type { Clock } from "../../client/clock.ts";

export interface IssuedToken {
  readonly token: string;
  readonly expiresAtMs: number;
}

export type IssueToken = (as: SenderIdentity, audience: string) => Promise<IssuedToken>;

interface Kept {
  readonly token: Promise<string>;
  untilMs: number;
}

const maxKept = 10_000;

/** One request per account and audience at a time; one that fails is made again with the next event. */
export function createSinkTokens(
  issue: IssueToken,
  clock: Clock,
): (as: SenderIdentity, audience: string) => Promise<string> {
  const kept = new Map<string, Kept>();
  return (as, audience) => {
    const key = `${as.namespace}/${as.name} ${audience}`;
    const known = kept.get(key);
    if (known && clock.now() < known.untilMs) return known.token;
    if (kept.size >= maxKept) kept.clear();
    const asked = issue(as, audience);
    const entry: Kept = { token: asked.then(({ token }) => token), untilMs: Infinity };
    kept.set(key, entry);
    asked.then(
      ({ expiresAtMs }) => (entry.untilMs = clock.now() + (expiresAtMs - clock.now()) * 0.8),
      () => kept.get(key) === entry && kept.delete(key),
    );
    return entry.token;
  };
}
