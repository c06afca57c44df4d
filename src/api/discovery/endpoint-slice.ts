/** The EndpointSlice kind. */
import { ageColumn, listCell, nameColumn, textColumn } from "../meta/columns.ts";
import type { KindDefinition } from "../meta/definition.ts";
import { schemaOf } from "../schemas.ts";
import { validateEndpointSlice } from "./endpoint-slice-validation.ts";
import { EndpointSliceKind } from "./kinds.ts";
import type { EndpointSlice } from "./types.gen.ts";

const shown = 3;

export const endpointSliceDefinition: KindDefinition<EndpointSlice> = {
  kind: EndpointSliceKind,
  message: "discovery.v1.EndpointSlice",
  schema: () => schemaOf("discovery.v1.EndpointSlice"),
  statusSubresource: false,
  generation: "all",
  columns: [
    nameColumn,
    textColumn("AddressType", "IPv4, IPv6 or FQDN.", ({ addressType }) => addressType),
    textColumn("Ports", "Ports of every endpoint.", ({ ports }) =>
      listCell(
        (ports ?? []).map(({ port }) => String(port ?? "*")),
        shown,
        "<unset>",
      ),
    ),
    textColumn("Endpoints", "Addresses of the endpoints.", ({ endpoints }) =>
      listCell(
        (endpoints ?? []).flatMap(({ addresses }) => addresses),
        shown,
        "<unset>",
      ),
    ),
    ageColumn,
  ],
  applyDefaults({ ports }) {
    for (const port of ports ?? []) {
      port.name ??= "";
      port.protocol ??= "TCP";
    }
  },
  validate: validateEndpointSlice,
  unconditionalUpdate: true,
  createOnUpdate: true,
};
