import { kind } from "../meta/kind.ts";
import type { PriorityClass } from "./types.gen.ts";

export const PriorityClassKind = kind<PriorityClass>({
  group: "scheduling.k8s.io",
  version: "v1",
  kind: "PriorityClass",
  plural: "priorityclasses",
  shortNames: ["pc"],
  namespaced: false,
});
