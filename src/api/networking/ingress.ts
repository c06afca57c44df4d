/** The Ingress kind of Kubernetes. */
import { loadBalancerAddresses } from "../core/service-columns.ts";
import { ageColumn, nameColumn, textColumn } from "../meta/columns.ts";
import type { KindDefinition } from "../meta/definition.ts";
import { schemaOf } from "../schemas.ts";
import { IngressKind } from "./kinds.ts";
import { validateIngress } from "./validation.ts";
import type { Ingress, IngressRule } from "./types.gen.ts";

const shownHosts = 3;

function hostsCell(rules: readonly IngressRule[]): string {
  const hosts = rules.map(({ host }) => host ?? "").filter(Boolean);
  if (hosts.length === 0) return "*";
  const shown = hosts.slice(0, shownHosts).join(",");
  return hosts.length > shownHosts ? `${shown} + ${rules.length - shownHosts} more...` : shown;
}

export const ingressDefinition: KindDefinition<Ingress> = {
  kind: IngressKind,
  message: "networking.v1.Ingress",
  schema: () => schemaOf("networking.v1.Ingress"),
  statusSubresource: true,
  generation: "spec",
  columns: [
    nameColumn,
    textColumn("Class", "Which controller serves it.", ({ spec }) => spec.ingressClassName ?? "<none>"),
    textColumn("Hosts", "Hosts it routes.", ({ spec }) => hostsCell(spec.rules ?? [])),
    textColumn("Address", "Where it can be reached.", ({ status }) =>
      loadBalancerAddresses(status?.loadBalancer?.ingress ?? []).join(","),
    ),
    textColumn("Ports", "Ports it listens on.", ({ spec }) => (spec.tls?.length ? "80, 443" : "80")),
    ageColumn,
  ],
  prepare(ingress, old) {
    if (!old) ingress.status = { loadBalancer: {} };
  },
  validate: validateIngress,
  unconditionalUpdate: true,
};
