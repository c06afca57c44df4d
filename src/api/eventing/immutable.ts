/** Specs that may not change: the denial that upstream's kmp.ShortDiff makes. */
import { problem, type Problems } from "../serving/problems.ts";
import { specDiff } from "../serving/spec-diff.ts";

/** Members named in `mutable` may change. */
export function checkUnchangedSpec(old: object, now: object, mutable: readonly string[] = []): Problems {
  const without = (spec: object): object =>
    Object.fromEntries(Object.entries(spec).filter(([name]) => !mutable.includes(name)));
  const diff = specDiff(without(old), without(now), "spec");
  return diff === "" ? [] : [problem("Immutable fields changed (-old +new)", ["spec"], diff)];
}
