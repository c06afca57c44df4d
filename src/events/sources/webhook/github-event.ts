/** GitHub's events as eventing-github makes them (pkg/common/events.go): subject and extensions by kind of event. */
import type { CloudEvent } from "../../../api/cloudevents/cloud-event.ts";
import { header, jsonOf } from "./webhook-event.ts";
import type { WebhookRequest } from "./webhook-front.ts";

/** Where the subject stands; the last part of a path where it is a URL. */
const subjects: Readonly<Record<string, string>> = {
  check_run: "check_run.id",
  check_suite: "check_suite.id",
  commit_comment: "comment.html_url",
  create: "ref_type",
  delete: "ref_type",
  deployment: "deployment.id",
  deployment_status: "deployment.id",
  fork: "forkee.id",
  installation: "installation.id",
  installation_repositories: "installation.id",
  integration_installation: "installation.id",
  issue_comment: "comment.html_url",
  issues: "issue.number",
  label: "label.name",
  member: "member.id",
  membership: "organization.login",
  milestone: "milestone.number",
  organization: "action",
  org_block: "action",
  page_build: "id",
  ping: "hook_id",
  project: "action",
  project_card: "action",
  project_column: "action",
  public: "repository.id",
  pull_request: "pull_request.number",
  pull_request_review: "review.id",
  pull_request_review_comment: "comment.id",
  push: "compare",
  release: "release.tag_name",
  repository: "repository.id",
  status: "sha",
  team: "team.id",
  team_add: "repository.id",
  watch: "repository.id",
};

/** Extensions by name, each with where it stands; those that are not there are left out. */
const extensions: Readonly<Record<string, string>> = {
  owner: "repository.owner.login",
  repository: "repository.name",
  sender: "sender.login",
  action: "action",
};

const particular: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  create: { ref: "ref" },
  delete: { ref: "ref" },
  issues: { label: "label.name", assignee: "assignee.login" },
  label: { label: "label.name" },
  membership: { scope: "scope" },
  pull_request: { number: "number", label: "label.name", assignee: "assignee.login" },
  pull_request_review: { review: "review.state" },
  push: { pusher: "pusher.name", ref: "ref", created: "created", deleted: "deleted", forced: "forced" },
  release: { release: "release.name" },
  status: { state: "state", name: "name", context: "context" },
};

export const gitHubEventType = (type: string): string => `dev.knative.source.github.${type}`;

/** undefined when it is none of the wanted types, a ping among them. Throws for what GitHub does not send. */
export function gitHubEvent(
  request: WebhookRequest,
  { source, wanted, nowMs }: { readonly source: string; readonly wanted: readonly string[]; readonly nowMs: number },
): CloudEvent | undefined {
  const [type, id] = [header(request, "x-github-event"), header(request, "x-github-delivery")];
  if (type === undefined || id === undefined) return undefined;
  if (!wanted.includes(type) && !wanted.includes("*")) return undefined;
  const payload = payloadOf(request);
  const found = Object.entries({ ...extensions, ...particular[type] }).flatMap(([name, path]) => {
    const value = at(payload, path);
    return value === undefined ? [] : [[name, value] as const];
  });
  const subject = at(payload, subjects[type] ?? "");
  return {
    specversion: "1.0",
    id,
    source,
    type: gitHubEventType(type),
    ...(subject === undefined ? {} : { subject: lastPart(subject) }),
    time: new Date(nowMs).toISOString(),
    ...Object.fromEntries(found),
    datacontenttype: "application/json",
    data: isForm(request) ? Buffer.from(formPayload(request)) : request.body,
  };
}

/** A webhook made by hand may send forms, with the JSON in a field of it. */
const isForm = (request: WebhookRequest): boolean =>
  (header(request, "content-type") ?? "").startsWith("application/x-www-form-urlencoded");
const formPayload = ({ body }: WebhookRequest): string =>
  new URLSearchParams(body.toString("utf8")).get("payload") ?? "{}";
const payloadOf = (request: WebhookRequest): unknown =>
  isForm(request) ? jsonOf({ headers: {}, body: Buffer.from(formPayload(request)) }) : jsonOf(request);

function at(payload: unknown, path: string): string | undefined {
  let value = payload;
  for (const name of path.split("."))
    value =
      typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean"
    ? String(value)
    : undefined;
}

const lastPart = (text: string): string => (URL.canParse(text) ? text.slice(text.lastIndexOf("/") + 1) : text);
