/** The Endpoints kind. */
import { ageColumn, nameColumn, textColumn } from "../meta/columns.ts";
import type { KindDefinition } from "../meta/definition.ts";
import { schemaOf } from "../schemas.ts";
import { validateEndpoints } from "./endpoints-validation.ts";
import { EndpointsKind } from "./kinds.ts";
import type { Endpoints } from "./types.gen.ts";

const shownAddresses = 3;

function addressesCell({ subsets = [] }: Endpoints): string {
  if (subsets.length === 0) return "<none>";
  const all = subsets.flatMap(({ addresses = [], ports = [] }) =>
    ports.flatMap(({ port }) => addresses.map(({ ip }) => (ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`))),
  );
  const shown = all.slice(0, shownAddresses).join(",");
  return all.length > shownAddresses ? `${shown} + ${all.length - shownAddresses} more...` : shown;
}

export const endpointsDefinition: KindDefinition<Endpoints> = {
  kind: EndpointsKind,
  message: "core.v1.Endpoints",
  schema: () => schemaOf("core.v1.Endpoints"),
  statusSubresource: false,
  generation: "none",
  columns: [
    nameColumn,
    textColumn("Endpoints", "Addresses and ports that serve; not those that are not ready.", addressesCell),
    ageColumn,
  ],
  applyDefaults({ subsets }) {
    for (const subset of subsets ?? []) for (const port of subset.ports ?? []) port.protocol ||= "TCP";
  },
  validate: validateEndpoints,
  unconditionalUpdate: true,
  createOnUpdate: true,
};
