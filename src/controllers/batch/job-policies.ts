/** podFailurePolicy and successPolicy of a Job (kubernetes pkg/controller/job/{pod_failure_policy,success_policy}.go). */
import type { Job, PodFailurePolicyRule } from "../../api/batch/types.gen.ts";
import type { ContainerStatus, Pod } from "../../api/core/types.gen.ts";
import { parseIndexes } from "./job-indexes.ts";

export type FailureAction = "FailJob" | "FailIndex" | "Ignore" | "Count";

export interface FailureMatch {
  readonly action: FailureAction;
  /** Why, for FailJob and FailIndex. */
  readonly message: string;
}

/** What a failed pod means to its Job: the first rule that matches, else Count. */
export function matchFailurePolicy({ spec }: Job, pod: Pod): FailureMatch {
  const rules = spec.podFailurePolicy?.rules ?? [];
  if (pod.status?.phase === "Failed") {
    for (const [index, rule] of rules.entries()) {
      const what = matchExitCodes(rule, pod) ?? matchConditions(rule, pod);
      if (what === undefined) continue;
      const action = actions.find((known) => known === rule.action) ?? "Count";
      return { action, message: `${what} matching ${rule.action} rule at index ${index}` };
    }
  }
  return { action: "Count", message: "" };
}

const actions: readonly FailureAction[] = ["FailJob", "FailIndex", "Ignore", "Count"];

function matchExitCodes({ onExitCodes }: PodFailurePolicyRule, { metadata, status }: Pod): string | undefined {
  if (!onExitCodes) return undefined;
  const { containerName, operator, values } = onExitCodes;
  const matches = ({ name, state }: ContainerStatus): boolean => {
    const code = state?.terminated?.exitCode;
    if (!code || (containerName && containerName !== name)) return false;
    return operator === "In" ? values.includes(code) : operator === "NotIn" && !values.includes(code);
  };
  const all = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])];
  const found = all.find(matches);
  if (!found) return undefined;
  const code = found.state?.terminated?.exitCode;
  return `Container ${found.name} for pod ${metadata.namespace}/${metadata.name} failed with exit code ${code}`;
}

function matchConditions({ onPodConditions }: PodFailurePolicyRule, { metadata, status }: Pod): string | undefined {
  const found = (status?.conditions ?? []).find((condition) =>
    onPodConditions?.some(
      (pattern) => pattern.type === condition.type && (pattern.status ?? "True") === condition.status,
    ),
  );
  return found && `Pod ${metadata.namespace}/${metadata.name} has condition ${found.type}`;
}

/** Index of the first success rule that the succeeded indexes satisfy; undefined when none does. */
export function metSuccessRule({ spec }: Job, succeeded: ReadonlySet<number>): number | undefined {
  const completions = spec.completions ?? 0;
  const index = (spec.successPolicy?.rules ?? []).findIndex(({ succeededIndexes, succeededCount }) => {
    if (succeededIndexes === undefined) return succeededCount !== undefined && succeeded.size >= succeededCount;
    const named = parseIndexes(succeededIndexes, completions);
    let met = 0;
    for (const number of named) if (succeeded.has(number)) met++;
    return met >= (succeededCount ?? named.size);
  });
  return index < 0 ? undefined : index;
}
