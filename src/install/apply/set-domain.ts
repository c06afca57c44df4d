import { ConfigMapKind } from "../../api/core/kinds.ts";
import { servingNamespace } from "../../api/serving/keys.ts";
import type { Client } from "../../client/client.ts";
import { installManager } from "../names.ts";
import type { Outcome } from "./apply-objects.ts";

/** Makes `domain` the default of config-domain; domains with labels stay, another default goes. */
export async function setDomain(client: Client, domain: string): Promise<Outcome> {
  const key = { namespace: servingNamespace, name: "config-domain" };
  const { data = {} } = await client.get(ConfigMapKind, key);
  if (data[domain]?.trim() === "") return "unchanged";
  const others = Object.entries(data).filter(([name, rule]) => name !== "_example" && rule.trim() === "");
  const gone = Object.fromEntries(others.map(([name]) => [name, null]));
  const body = { data: { ...gone, [domain]: "" } };
  await client.patch(ConfigMapKind, key, { type: "merge", body }, { fieldManager: installManager });
  return "changed";
}
