/** The PriorityClass kind. */
import { ageColumn, integerColumn, nameColumn, textColumn } from "../meta/columns.ts";
import type { KindDefinition } from "../meta/definition.ts";
import { schemaOf } from "../schemas.ts";
import { PriorityClassKind } from "./kinds.ts";
import { validatePriorityClass } from "./validation.ts";
import type { PriorityClass } from "./types.gen.ts";

export const priorityClassDefinition: KindDefinition<PriorityClass> = {
  kind: PriorityClassKind,
  message: "scheduling.v1.PriorityClass",
  schema: () => schemaOf("scheduling.v1.PriorityClass"),
  statusSubresource: false,
  generation: "all",
  columns: [
    nameColumn,
    integerColumn("Value", "The priority its pods get; higher goes first.", ({ value }) => value ?? 0),
    {
      name: "Global-Default",
      type: "boolean",
      description: "Whether pods without a class get this one.",
      cell: ({ globalDefault }) => globalDefault ?? false,
    },
    ageColumn,
    textColumn(
      "PreemptionPolicy",
      "Whether its pods may push others out.",
      ({ preemptionPolicy }) => preemptionPolicy ?? "",
    ),
  ],
  applyDefaults(priorityClass) {
    priorityClass.preemptionPolicy ??= "PreemptLowerPriority";
  },
  validate: validatePriorityClass,
  unconditionalUpdate: true,
};
