/** Finalizers: an object stays until what was made for it elsewhere is gone. */
import { isNotFound } from "../../api/meta/errors.ts";
import type { Kind } from "../../api/meta/kind.ts";
import type { KubeObject } from "../../api/meta/object.ts";
import type { Client } from "../../client/client.ts";

export async function addFinalizer<T extends KubeObject>(
  client: Client,
  kind: Kind<T>,
  { metadata }: T,
  name: string,
): Promise<void> {
  const { finalizers = [] } = metadata;
  if (!finalizers.includes(name)) await setFinalizers(client, kind, metadata, [...finalizers, name]);
}

export async function dropFinalizer<T extends KubeObject>(
  client: Client,
  kind: Kind<T>,
  { metadata }: T,
  name: string,
): Promise<void> {
  const { finalizers = [] } = metadata;
  if (!finalizers.includes(name)) return;
  try {
    const rest = finalizers.filter((one) => one !== name);
    await setFinalizers(client, kind, metadata, rest);
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

async function setFinalizers<T extends KubeObject>(
  client: Client,
  kind: Kind<T>,
  { name, namespace = "", resourceVersion }: KubeObject["metadata"],
  finalizers: readonly string[],
): Promise<void> {
  const metadata = { finalizers, ...(resourceVersion === undefined ? {} : { resourceVersion }) };
  await client.patch(kind, { namespace, name }, { type: "merge", body: { metadata } });
}
