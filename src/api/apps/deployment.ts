/** The Deployment kind. */
import { containerColumns } from "../core/container-columns.ts";
import { defaultPodTemplate } from "../core/pod-spec-defaults.ts";
import { ageColumn, integerColumn, nameColumn, selectorCell, textColumn, wideColumn } from "../meta/columns.ts";
import type { KindDefinition } from "../meta/definition.ts";
import type { Mutable } from "../meta/object.ts";
import { schemaOf } from "../schemas.ts";
import { DeploymentKind } from "./kinds.ts";
import { validateDeployment, validateDeploymentStatus } from "./validation.ts";
import type { Deployment, DeploymentSpec } from "./types.gen.ts";

function defaultDeploymentSpec(spec: Mutable<DeploymentSpec>): void {
  spec.replicas ??= 1;
  spec.revisionHistoryLimit ??= 10;
  spec.progressDeadlineSeconds ??= 600;
  const strategy = (spec.strategy ??= {});
  strategy.type ||= "RollingUpdate";
  if (strategy.type === "RollingUpdate") {
    strategy.rollingUpdate ??= {};
    strategy.rollingUpdate.maxUnavailable ??= "25%";
    strategy.rollingUpdate.maxSurge ??= "25%";
  }
  defaultPodTemplate(spec.template);
}

export const deploymentDefinition: KindDefinition<Deployment> = {
  kind: DeploymentKind,
  message: "apps.v1.Deployment",
  schema: () => schemaOf("apps.v1.Deployment"),
  statusSubresource: true,
  scale: { specReplicas: ".spec.replicas", statusReplicas: ".status.replicas", labelSelector: ".spec.selector" },
  generation: "spec+annotations",
  columns: [
    nameColumn,
    textColumn(
      "Ready",
      "Replicas that are ready, of those wanted.",
      ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec.replicas}`,
    ),
    integerColumn("Up-to-date", "Replicas of the newest template.", ({ status }) => status?.updatedReplicas ?? 0),
    integerColumn("Available", "Replicas ready for long enough.", ({ status }) => status?.availableReplicas ?? 0),
    ageColumn,
    ...containerColumns<Deployment>(({ spec }) => spec.template),
    wideColumn("Selector", "Which pods are its own.", ({ spec }) => selectorCell(spec.selector)),
  ],
  applyDefaults({ spec }) {
    if (spec) defaultDeploymentSpec(spec);
  },
  prepare(deployment, old) {
    if (!old) deployment.status = {};
  },
  validate: validateDeployment,
  validateStatus: validateDeploymentStatus,
  unconditionalUpdate: true,
};
