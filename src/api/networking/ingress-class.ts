/** The IngressClass kind. */
import { ageColumn, nameColumn, textColumn } from "../meta/columns.ts";
import type { KindDefinition } from "../meta/definition.ts";
import { schemaOf } from "../schemas.ts";
import { IngressClassKind } from "./kinds.ts";
import { validateIngressClass } from "./validation.ts";
import type { IngressClass } from "./types.gen.ts";

function parametersCell({ spec }: IngressClass): string {
  const parameters = spec?.parameters;
  if (!parameters) return "<none>";
  const group = parameters.apiGroup === undefined ? "" : `.${parameters.apiGroup}`;
  return `${parameters.kind}${group}/${parameters.name}`;
}

export const ingressClassDefinition: KindDefinition<IngressClass> = {
  kind: IngressClassKind,
  message: "networking.v1.IngressClass",
  schema: () => schemaOf("networking.v1.IngressClass"),
  statusSubresource: false,
  generation: "spec",
  columns: [
    nameColumn,
    textColumn("Controller", "Who serves ingresses of this class.", ({ spec }) => spec?.controller ?? ""),
    textColumn("Parameters", "The object with further settings.", parametersCell),
    ageColumn,
  ],
  applyDefaults({ spec }) {
    if (spec?.parameters) spec.parameters.scope ??= "Cluster";
  },
  validate: validateIngressClass,
  unconditionalUpdate: true,
};
