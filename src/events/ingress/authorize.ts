/** Who may send: tokens for the receiver's own audience, and EventPolicies (eventing pkg/auth/verifier.go). */
import { defaultAllows, hasSubject, type AccessRule } from "../../api/eventing/access.ts";
import { compileFilters } from "../filters/compile-filters.ts";
import type { EventFilter } from "../filters/filter.ts";
import type { StoredEvent } from "../wire/stored-event.ts";

export type Permission =
  | { readonly allowed: true }
  /** 401: who it is is not known; 403: known, and not allowed. */
  | { readonly allowed: false; readonly status: 401 | 403; readonly message: string };

export interface AuthorizeDeps {
  /** The user whose token it is, if it was made for this audience; undefined for any other. */
  reviewToken(token: string, audience: string): Promise<string | undefined>;
}

export type Authorize = (
  rule: AccessRule,
  authorization: string | undefined,
  events: readonly StoredEvent[],
) => Promise<Permission>;

export function createAuthorize({ reviewToken }: AuthorizeDeps): Authorize {
  const compiled = new WeakMap<AccessRule, readonly EventFilter[]>();
  const filtersOf = (rule: AccessRule): readonly EventFilter[] => {
    const known = compiled.get(rule) ?? rule.policies.map(({ filters }) => compileFilters({ filters }));
    compiled.set(rule, known);
    return known;
  };
  return async (rule, authorization, events) => {
    const token = /^Bearer +(\S+)$/i.exec(authorization ?? "")?.[1];
    if (token === undefined)
      return refuse(401, `a token for the audience "${rule.audience}" is needed: send Authorization: Bearer`);
    const user = await reviewToken(token, rule.audience);
    if (user === undefined)
      return refuse(401, `the token is not good: it has expired, or was not made for the audience "${rule.audience}"`);
    if (defaultAllows(rule, user)) return { allowed: true };
    if (rule.policies.length === 0)
      return refuse(
        403,
        `"${user}" may not send here: there is no EventPolicy, and default-authorization-mode is ${rule.mode}`,
      );
    const filters = filtersOf(rule);
    const allows = ({ attributes }: StoredEvent): boolean =>
      rule.policies.some(({ subjects }, at) => hasSubject(subjects, user) && filters[at]?.(attributes) === true);
    const denied = events.find((event) => !allows(event));
    return denied
      ? refuse(
          403,
          `no EventPolicy allows "${user}" to send an event of type "${String(denied.attributes["type"])}" here`,
        )
      : { allowed: true };
  };
}

/** Where nobody can check tokens, a rule keeps everybody out rather than nobody. */
export const refuseAll: Authorize = () =>
  Promise.resolve(
    refuse(403, "tokens cannot be checked here: turn authentication-oidc off in config-features to let everybody send"),
  );

const refuse = (status: 401 | 403, message: string): Permission => ({ allowed: false, status, message });
