import { components, nameOf, systemNamespace, type Component } from "../names.ts";
import { grants, type Grant, type Permission } from "../rbac/permissions.ts";

/** docs/reference/rbac.md: every permission and why. */
export function rbacPage(): string {
  return `<!-- Written by scripts/gen-deploy.ts from src/install/rbac/permissions.ts; do not edit. -->

# What ebb may do on a cluster

\`ebb install\` makes three ServiceAccounts in namespace \`${systemNamespace}\`, or two where events are left out. None is cluster-admin, no rule has a wildcard, and nothing here lets ebb change roles, nodes, or what others made, except where a line below says so. Rules are made from the same list as this page.

${[...components, "events" as const].map(section).join("\n")}
## For users

Whoever has Kubernetes' own role \`view\` in a namespace may read ebb's kinds there, \`edit\` and \`admin\` may also write those that are not internal: the ClusterRoles \`ebb-view\` and \`ebb-edit\` are aggregated into them. Of events themselves (\`events.ebb.dev\`), \`view\` reads what a Broker keeps, what a Trigger could not deliver and how far it is; \`edit\` and \`admin\` also send, replay, deliver again and discard.

The controller is also bound to \`extension-apiserver-authentication-reader\` in \`kube-system\`, which every server of an aggregated API reads: it tells by which certificate requests of the API server are known. ebb-events has what ClusterRoles with the label \`duck.knative.dev/addressable=true\` grant, as Knative Eventing has it: so that kinds of others may be destinations.
`;
}

function section(component: Component): string {
  const parts = grants.filter((grant) => grant.component === component).map(table);
  return `## ${nameOf(component)}\n\n${parts.join("\n")}`;
}

function table({ namespace, permissions }: Grant): string {
  const where = namespace === undefined ? "In every namespace, and cluster-wide" : `In namespace \`${namespace}\``;
  return `### ${where}\n\n| resources | verbs | to |\n|---|---|---|\n${permissions.map(row).join("\n")}\n`;
}

function row({ group, resources, verbs, names, why }: Permission): string {
  const shown = resources.map((resource) => `\`${group === "" ? resource : `${resource}.${group}`}\``).join(", ");
  const only = names ? ` (only ${names.map((name) => `\`${name}\``).join(", ")})` : "";
  return `| ${shown}${only} | ${verbs.join(", ")} | ${why} |`;
}
