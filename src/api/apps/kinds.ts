import { kind } from "../meta/kind.ts";
import type { Deployment, ReplicaSet } from "./types.gen.ts";

export const DeploymentKind = kind<Deployment>({
  group: "apps",
  version: "v1",
  kind: "Deployment",
  plural: "deployments",
  shortNames: ["deploy"],
  categories: ["all"],
});
export const ReplicaSetKind = kind<ReplicaSet>({
  group: "apps",
  version: "v1",
  kind: "ReplicaSet",
  plural: "replicasets",
  shortNames: ["rs"],
  categories: ["all"],
});
