import type { IncomingHttpHeaders } from "node:http";
import type { RequestUser } from "../../api/meta/definition.ts";
import { badRequest } from "../../api/meta/errors.ts";
import { authenticated } from "./authenticate.ts";
import { accessDenied, type Authorizer } from "./authorizer.ts";
import type { ResourceQuestion } from "./rules.ts";

const extraPrefix = "impersonate-extra-";

/** The user a request is to be treated as from, when its Impersonate headers ask for that and its sender may. */
export function impersonate(user: RequestUser, headers: IncomingHttpHeaders, authorizer: Authorizer): RequestUser {
  const name = single(headers["impersonate-user"]);
  const groups = list(headers["impersonate-group"]);
  const uid = single(headers["impersonate-uid"]);
  const extra = extraOf(headers);
  if (name === undefined) {
    if (groups.length > 0 || uid !== undefined || extra.length > 0)
      throw badRequest("requested impersonation without naming a user: send Impersonate-User too");
    return user;
  }
  const account = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(name);
  const questions = [
    account ? ask("serviceaccounts", account[2] ?? "", { namespace: account[1] ?? "" }) : ask("users", name),
    ...groups.map((group) => ask("groups", group)),
    ...(uid === undefined ? [] : [ask("uids", uid, { group: "authentication.k8s.io" })]),
    ...extra.flatMap(([key, values]) =>
      values.map((value) => ask("userextras", value, { group: "authentication.k8s.io", subresource: key })),
    ),
  ];
  for (const question of questions) if (!authorizer.allows(user, question)) throw accessDenied(user, question);
  const implied =
    account && groups.length === 0 ? ["system:serviceaccounts", `system:serviceaccounts:${account[1]}`] : [];
  const target: RequestUser = {
    name,
    groups: [...groups, ...implied],
    ...(uid === undefined ? {} : { uid }),
    ...(extra.length === 0 ? {} : { extra: Object.fromEntries(extra) }),
  };
  return name === "system:anonymous"
    ? { ...target, groups: [...target.groups, "system:unauthenticated"] }
    : authenticated(target);
}

const ask = (resource: string, name: string, more: Partial<ResourceQuestion> = {}): ResourceQuestion => ({
  kind: "resource",
  verb: "impersonate",
  group: "",
  resource,
  name,
  ...more,
});

type Header = string | readonly string[] | undefined;

const single = (header: Header): string | undefined => (typeof header === "string" ? header : header?.[0]);

/** Node joins repeated headers with commas; group names have none. */
const list = (header: Header): string[] =>
  [header ?? []]
    .flat()
    .flatMap((value) => value.split(","))
    .map((value) => value.trim())
    .filter((value) => value !== "");

const extraOf = (headers: IncomingHttpHeaders): [string, string[]][] =>
  Object.entries(headers)
    .filter(([key]) => key.startsWith(extraPrefix))
    .map(([key, value]) => [decodeURIComponent(key.slice(extraPrefix.length)), list(value)]);
