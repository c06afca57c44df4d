/** The Secret kind: text given as `stringData` is kept as base64 in `data`. */
import { ageColumn, integerColumn, nameColumn, textColumn } from "../meta/columns.ts";
import type { KindDefinition } from "../meta/definition.ts";
import { schemaOf } from "../schemas.ts";
import { validateSecret } from "./data-validation.ts";
import { SecretKind } from "./kinds.ts";
import type { Secret } from "./types.gen.ts";

export const secretDefinition: KindDefinition<Secret> = {
  kind: SecretKind,
  message: "core.v1.Secret",
  schema: () => schemaOf("core.v1.Secret"),
  statusSubresource: false,
  generation: "none",
  columns: [
    nameColumn,
    textColumn("Type", "What the secret is for.", ({ type }) => type ?? ""),
    integerColumn("Data", "How many keys it holds.", ({ data }) => Object.keys(data ?? {}).length),
    ageColumn,
  ],
  selectableFields: { type: ({ type }) => type ?? "" },
  applyDefaults(secret) {
    secret.type ||= "Opaque";
    const text = secret.stringData;
    delete secret.stringData;
    if (!text) return;
    const added = Object.entries(text).map(([key, value]) => [key, Buffer.from(value).toString("base64")] as const);
    secret.data = Object.fromEntries([...Object.entries(secret.data ?? {}), ...added]);
  },
  validate: validateSecret,
  unconditionalUpdate: true,
};
