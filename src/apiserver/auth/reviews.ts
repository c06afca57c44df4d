/** The create-only resources that ask who one is and what one may do (authentication.k8s.io, authorization.k8s.io). */
import type { UserInfo } from "../../api/authentication/types.gen.ts";
import type { RequestUser } from "../../api/meta/definition.ts";
import { badRequest } from "../../api/meta/errors.ts";
import { kind } from "../../api/meta/kind.ts";
import type { PolicyRule } from "../../api/rbac/types.gen.ts";
import type { VirtualCall, VirtualResource } from "../http/exchange.ts";
import { isObject, type JsonObject } from "../schema/json-value.ts";
import type { Authorizer } from "./authorizer.ts";
import type { AccessQuestion } from "./rules.ts";
import { tokenIssuer, type ServiceAccountTokens } from "./service-account-tokens.ts";

interface ReviewDeps {
  readonly authorizer: Authorizer;
  readonly tokens: ServiceAccountTokens;
}

export function reviewResources(deps: ReviewDeps): VirtualResource[] {
  const authentication = "authentication.k8s.io";
  const authorization = "authorization.k8s.io";
  return [
    review(authentication, "SelfSubjectReview", false, ({ user }) => ({ userInfo: userInfo(user) })),
    review(authentication, "TokenReview", false, (call, spec) => reviewToken(deps, spec)),
    review(authorization, "SelfSubjectAccessReview", false, ({ user }, spec) => reviewAccess(deps, user, spec)),
    review(authorization, "SubjectAccessReview", false, (_call, spec) => reviewAccess(deps, subjectOf(spec), spec)),
    review(authorization, "LocalSubjectAccessReview", true, (call, spec) => reviewLocalAccess(deps, call, spec)),
    review(authorization, "SelfSubjectRulesReview", false, ({ user }, spec) => reviewRules(deps, user, spec)),
  ];
}

type Answer = (call: VirtualCall, spec: JsonObject) => object | Promise<object>;

function review(group: string, name: string, namespaced: boolean, answer: Answer): VirtualResource {
  const facts = kind({ group, version: "v1", kind: name, plural: `${name.toLowerCase()}s`, namespaced });
  return {
    kind: facts,
    verbs: ["create"],
    async serve(call) {
      const body = call.body ?? {};
      const spec = isObject(body["spec"]) ? body["spec"] : {};
      const metadata = isObject(body["metadata"]) ? body["metadata"] : {};
      return { kind: name, apiVersion: `${group}/v1`, metadata, spec, status: await answer(call, spec) };
    },
  };
}

const userInfo = ({ name, uid, groups, extra }: RequestUser): UserInfo => ({
  username: name,
  ...(uid ? { uid } : {}),
  groups,
  ...(extra ? { extra } : {}),
});

const strings = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
const text = (value: unknown): string => (typeof value === "string" ? value : "");

async function reviewToken({ tokens }: ReviewDeps, spec: JsonObject): Promise<object> {
  const asked = strings(spec["audiences"]);
  const found = await tokens.verify(text(spec["token"]), asked.length > 0 ? asked : [tokenIssuer]);
  if (!found) return { user: {}, error: "the token is not one of this server, has expired, or its account is gone" };
  return { authenticated: true, user: userInfo(found.user), audiences: found.audiences };
}

function subjectOf(spec: JsonObject): RequestUser {
  const name = text(spec["user"]);
  const groups = strings(spec["groups"]);
  if (name === "" && groups.length === 0) throw badRequest("spec: at least one of user or group must be specified");
  return { name, groups };
}

function reviewAccess({ authorizer }: ReviewDeps, user: RequestUser, spec: JsonObject): object {
  const question = questionOf(spec);
  return authorizer.allows(user, question) ? { allowed: true } : { allowed: false, reason: "" };
}

function questionOf(spec: JsonObject): AccessQuestion {
  const resource = spec["resourceAttributes"];
  const path = spec["nonResourceAttributes"];
  if (isObject(resource) === isObject(path))
    throw badRequest("spec: exactly one of nonResourceAttributes or resourceAttributes must be specified");
  if (isObject(path)) return { kind: "path", verb: text(path["verb"]), path: text(path["path"]) };
  const attributes = isObject(resource) ? resource : {};
  const [subresource, namespace, name] = ["subresource", "namespace", "name"].map((field) => text(attributes[field]));
  return {
    kind: "resource",
    verb: text(attributes["verb"]),
    group: text(attributes["group"]),
    resource: text(attributes["resource"]),
    ...(subresource ? { subresource } : {}),
    ...(namespace ? { namespace } : {}),
    ...(name ? { name } : {}),
  };
}

function reviewLocalAccess(deps: ReviewDeps, { namespace }: VirtualCall, spec: JsonObject): object {
  const attributes = spec["resourceAttributes"];
  if (!isObject(attributes)) throw badRequest("spec.resourceAttributes is required");
  if (text(attributes["namespace"]) !== namespace)
    throw badRequest("spec.resourceAttributes.namespace must match the namespace of the request");
  return reviewAccess(deps, subjectOf(spec), spec);
}

function reviewRules({ authorizer }: ReviewDeps, user: RequestUser, spec: JsonObject): object {
  const rules = authorizer.rulesOf(user, text(spec["namespace"]));
  const resources = rules
    .filter((rule) => rule.resources?.length)
    .map(({ verbs, apiGroups, resources, resourceNames }: PolicyRule) => ({
      verbs,
      apiGroups,
      resources,
      ...(resourceNames ? { resourceNames } : {}),
    }));
  const paths = rules
    .filter((rule) => rule.nonResourceURLs?.length)
    .map(({ verbs, nonResourceURLs }) => ({ verbs, nonResourceURLs }));
  return { resourceRules: resources, nonResourceRules: paths, incomplete: false };
}
