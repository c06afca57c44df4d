/** The ConfigMap kind. */
import { ageColumn, integerColumn, nameColumn } from "../meta/columns.ts";
import type { KindDefinition } from "../meta/definition.ts";
import { schemaOf } from "../schemas.ts";
import { checkEventingConfigMap, isEventingConfigMap } from "../eventing/config-maps.ts";
import { checkServingConfigMap, isServingConfigMap } from "../serving/config-maps.ts";
import { validateConfigMap } from "./data-validation.ts";
import { ConfigMapKind } from "./kinds.ts";
import type { ConfigMap } from "./types.gen.ts";

const size = (map: Readonly<Record<string, string>> | undefined): number => Object.keys(map ?? {}).length;

export const configMapDefinition: KindDefinition<ConfigMap> = {
  kind: ConfigMapKind,
  message: "core.v1.ConfigMap",
  schema: () => schemaOf("core.v1.ConfigMap"),
  statusSubresource: false,
  generation: "none",
  columns: [
    nameColumn,
    integerColumn("Data", "How many keys it holds.", ({ data, binaryData }) => size(data) + size(binaryData)),
    ageColumn,
  ],
  unconditionalUpdate: true,
  validate(map, old) {
    const errors = [...checkServingConfigMap(map), ...checkEventingConfigMap(map)];
    return errors.length > 0 ? errors : validateConfigMap(map, old);
  },
  denial: (map) => (isServingConfigMap(map) || isEventingConfigMap(map) ? "webhook" : "invalid"),
};
