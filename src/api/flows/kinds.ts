import { kind } from "../meta/kind.ts";
import type { Parallel, Sequence } from "./types.gen.ts";

const categories = ["all", "knative", "flows"];

export const SequenceKind = kind<Sequence>({
  group: "flows.knative.dev",
  version: "v1",
  kind: "Sequence",
  plural: "sequences",
  categories,
});
export const ParallelKind = kind<Parallel>({
  group: "flows.knative.dev",
  version: "v1",
  kind: "Parallel",
  plural: "parallels",
  categories,
});
