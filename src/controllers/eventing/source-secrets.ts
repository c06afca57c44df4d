/** Values of Secrets that a source's spec names, put in place of what names them. */
import { SecretKind } from "../../api/core/kinds.ts";
import { isNotFound } from "../../api/meta/errors.ts";
import type { Client } from "../../client/client.ts";

/** A key of a Secret, and where in the spec its value belongs. */
export interface SecretRef {
  readonly path: readonly string[];
  readonly name: string;
  readonly key: string;
  /** May be missing: nothing is put there then. */
  readonly optional?: boolean;
}

export type ResolvedSettings =
  | { readonly kind: "resolved"; readonly settings: unknown }
  /** What is missing, and what to do. */
  | { readonly kind: "missing"; readonly message: string };

/** Everything of the form `{secretKeyRef: {name, key}}` in a spec, wherever it stands. */
export function secretKeyRefsIn(spec: unknown, path: readonly string[] = []): readonly SecretRef[] {
  if (typeof spec !== "object" || spec === null) return [];
  const { secretKeyRef } = spec as { readonly secretKeyRef?: Partial<SecretRef> };
  if (secretKeyRef) {
    const { name = "", key = "", optional = false } = secretKeyRef;
    return [{ path, name, key, optional }];
  }
  return Object.entries(spec).flatMap(([member, value]) => secretKeyRefsIn(value, [...path, member]));
}

/** Reads the Secrets; those that are missing are told, all in one message. */
export async function resolveSecrets(
  client: Pick<Client, "get">,
  namespace: string,
  { spec, refs }: { readonly spec: unknown; readonly refs: readonly SecretRef[] },
): Promise<ResolvedSettings> {
  const names = [...new Set(refs.map(({ name }) => name))];
  const secrets = new Map(
    await Promise.all(names.map(async (name) => [name, await read(client, namespace, name)] as const)),
  );
  const settings = structuredClone(spec);
  const missing: string[] = [];
  for (const { path, name, key, optional } of refs) {
    const value = secrets.get(name)?.[key];
    if (value !== undefined) put(settings, path, Buffer.from(value, "base64").toString("utf8"));
    else if (optional) put(settings, path, undefined);
    else if (secrets.get(name)) missing.push(`Secret "${name}" has no key "${key}"`);
    else missing.push(`there is no Secret "${name}" in namespace "${namespace}" (its key "${key}" is needed)`);
  }
  if (missing.length === 0) return { kind: "resolved", settings };
  return { kind: "missing", message: `${[...new Set(missing)].join("; ")}: create it, or correct the source` };
}

async function read(
  client: Pick<Client, "get">,
  namespace: string,
  name: string,
): Promise<Readonly<Record<string, string>> | undefined> {
  try {
    return (await client.get(SecretKind, { namespace, name })).data ?? {};
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

function put(settings: unknown, path: readonly string[], value: string | undefined): void {
  const parents = path.slice(0, -1);
  let at = settings as Record<string, unknown>;
  for (const member of parents) at = (at[member] ??= {}) as Record<string, unknown>;
  const last = path.at(-1) ?? "";
  if (value === undefined) delete at[last];
  else at[last] = value;
}
