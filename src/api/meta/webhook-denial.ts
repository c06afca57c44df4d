/**
 * The answer to a write that Knative's validating webhook would deny: 400, with every field error in one text
 * (knative.dev/pkg apis/field_error.go, webhook/admission). Used where `KindDefinition.denial` is `webhook`.
 */
import { badRequest, type ApiError } from "./errors.ts";
import type { FieldError } from "./field-error.ts";
import type { Kind } from "./kind.ts";

export function webhookDenial(kind: Pick<Kind, "group" | "kind">, errors: readonly FieldError[]): ApiError {
  return badRequest(
    `admission webhook "${webhookOf(kind)}" denied the request: validation failed: ${denialText(errors)}`,
  );
}

/** Eventing's one webhook checks all of its groups. */
const eventingGroups: ReadonlySet<string> = new Set([
  "messaging.knative.dev",
  "flows.knative.dev",
  "sources.knative.dev",
  "sinks.knative.dev",
]);

/** Name of the webhook that checks a kind. The internal groups are checked by Serving's webhook, config maps by its sibling. */
export function webhookOf({ group, kind }: Pick<Kind, "group" | "kind">): string {
  if (group === "" && kind === "ConfigMap") return "config.webhook.serving.knative.dev";
  if (eventingGroups.has(group)) return "validation.webhook.eventing.knative.dev";
  return `validation.webhook.${group.endsWith(".internal.knative.dev") ? "serving.knative.dev" : group}`;
}

/**
 * `<message>: <path>, <path>` per line, details on a line of their own. Equal messages share a line with their paths
 * sorted; lines are sorted by message, then details. An error without a path (a whole config map) is its message alone.
 */
export function denialText(errors: readonly FieldError[]): string {
  const lines = new Map<string, { message: string; details: string; paths: Set<string> }>();
  for (const { message, details = "", field } of errors) {
    const key = `${message}\n${details}`;
    const line = lines.get(key) ?? { message, details, paths: new Set() };
    lines.set(key, line);
    if (field !== "") line.paths.add(field);
  }
  return [...lines.values()]
    .sort((a, b) => compare(a.message, b.message) || compare(a.details, b.details))
    .map(({ message, details, paths }) => {
      const head = paths.size === 0 ? message : `${message}: ${[...paths].sort(compare).join(", ")}`;
      return details === "" ? head : `${head}\n${details}`;
    })
    .join("\n");
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
