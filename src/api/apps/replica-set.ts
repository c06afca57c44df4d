/** The ReplicaSet kind. */
import { containerColumns } from "../core/container-columns.ts";
import { defaultPodTemplate } from "../core/pod-spec-defaults.ts";
import { ageColumn, integerColumn, nameColumn, selectorCell, wideColumn } from "../meta/columns.ts";
import type { KindDefinition } from "../meta/definition.ts";
import { schemaOf } from "../schemas.ts";
import { ReplicaSetKind } from "./kinds.ts";
import { validateReplicaSet, validateReplicaSetStatus } from "./validation.ts";
import type { ReplicaSet } from "./types.gen.ts";

export const replicaSetDefinition: KindDefinition<ReplicaSet> = {
  kind: ReplicaSetKind,
  message: "apps.v1.ReplicaSet",
  schema: () => schemaOf("apps.v1.ReplicaSet"),
  statusSubresource: true,
  scale: { specReplicas: ".spec.replicas", statusReplicas: ".status.replicas", labelSelector: ".spec.selector" },
  generation: "spec",
  columns: [
    nameColumn,
    integerColumn("Desired", "Replicas wanted.", ({ spec }) => spec.replicas),
    integerColumn("Current", "Replicas that exist.", ({ status }) => status?.replicas ?? 0),
    integerColumn("Ready", "Replicas that are ready.", ({ status }) => status?.readyReplicas ?? 0),
    ageColumn,
    ...containerColumns<ReplicaSet>(({ spec }) => spec.template),
    wideColumn("Selector", "Which pods are its own.", ({ spec }) => selectorCell(spec.selector)),
  ],
  applyDefaults({ spec }) {
    if (!spec) return;
    spec.replicas ??= 1;
    defaultPodTemplate(spec.template);
  },
  prepare(replicaSet, old) {
    if (!old) replicaSet.status = { replicas: 0 };
  },
  validate: validateReplicaSet,
  validateStatus: validateReplicaSetStatus,
  unconditionalUpdate: true,
};
