import { kind } from "../meta/kind.ts";
import type { CustomResourceDefinition } from "./types.gen.ts";

export const CustomResourceDefinitionKind = kind<CustomResourceDefinition>({
  group: "apiextensions.k8s.io",
  version: "v1",
  kind: "CustomResourceDefinition",
  plural: "customresourcedefinitions",
  shortNames: ["crd", "crds"],
  categories: ["api-extensions"],
  namespaced: false,
});
