/** The Node kind. */
import { ageColumn, nameColumn, textColumn, wideColumn } from "../meta/columns.ts";
import type { Column, KindDefinition } from "../meta/definition.ts";
import { schemaOf } from "../schemas.ts";
import { NodeKind } from "./kinds.ts";
import { canonicalizeResources } from "./canonical-resources.ts";
import { validateNode, validateNodeStatus } from "./node-validation.ts";
import type { Node, NodeSystemInfo } from "./types.gen.ts";

const rolePrefix = "node-role.kubernetes.io/";
const roleLabel = "kubernetes.io/role";

function statusCell({ spec, status }: Node): string {
  const ready = status?.conditions?.find((condition) => condition.type === "Ready");
  const word = ready ? (ready.status === "True" ? "Ready" : "NotReady") : "Unknown";
  return spec?.unschedulable ? `${word},SchedulingDisabled` : word;
}

function rolesCell({ metadata }: Node): string {
  const roles = new Set<string>();
  for (const [key, value] of Object.entries(metadata.labels ?? {})) {
    if (key.startsWith(rolePrefix) && key.length > rolePrefix.length) roles.add(key.slice(rolePrefix.length));
    else if (key === roleLabel && value !== "") roles.add(value);
  }
  return [...roles].sort().join(",") || "<none>";
}

function address(node: Node, type: string): string {
  return node.status?.addresses?.find((found) => found.type === type)?.address ?? "<none>";
}

function infoColumn(name: string, description: string, key: keyof NodeSystemInfo): Column<Node> {
  return wideColumn(name, description, ({ status }) => String(status?.nodeInfo?.[key] || "<unknown>"));
}

export const nodeDefinition: KindDefinition<Node> = {
  kind: NodeKind,
  message: "core.v1.Node",
  schema: () => schemaOf("core.v1.Node"),
  statusSubresource: true,
  keepsStatusOnCreate: true,
  generation: "none",
  columns: [
    nameColumn,
    textColumn("Status", "Whether the node takes pods.", statusCell),
    textColumn("Roles", "Roles from the node's labels.", rolesCell),
    ageColumn,
    textColumn("Version", "Version of the node agent.", ({ status }) => status?.nodeInfo?.kubeletVersion ?? ""),
    wideColumn("Internal-IP", "Address inside the cluster.", (node) => address(node, "InternalIP")),
    wideColumn("External-IP", "Address from outside.", (node) => address(node, "ExternalIP")),
    infoColumn("OS-Image", "Operating system.", "osImage"),
    infoColumn("Kernel-Version", "Kernel of the operating system.", "kernelVersion"),
    infoColumn("Container-Runtime", "What runs the containers.", "containerRuntimeVersion"),
  ],
  selectableFields: { "spec.unschedulable": ({ spec }) => String(spec?.unschedulable ?? false) },
  applyDefaults({ status }) {
    canonicalizeResources(status?.capacity);
    canonicalizeResources(status?.allocatable);
    if (status?.capacity) status.allocatable ??= { ...status.capacity };
  },
  validate: validateNode,
  validateStatus: validateNodeStatus,
  unconditionalUpdate: true,
};
