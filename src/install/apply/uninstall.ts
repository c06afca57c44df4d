import { PodKind } from "../../api/core/kinds.ts";
import { certificateAccessName, warmPoolLabel } from "../../api/ebb-keys.ts";
import { isNotFound } from "../../api/meta/errors.ts";
import { apiVersionOf, type Kind } from "../../api/meta/kind.ts";
import type { KubeObject } from "../../api/meta/object.ts";
import { RoleBindingKind, RoleKind } from "../../api/rbac/kinds.ts";
import type { Client } from "../../client/client.ts";
import { find } from "./apply-objects.ts";
import { isData, listInstalled, remove } from "./installed-objects.ts";
import { describe } from "./object-kinds.ts";
import { NotReadyError, type Waiting } from "./wait-for-deployment.ts";

export interface Removed {
  readonly removed: number;
  /** What is left, such as `CustomResourceDefinition services.serving.knative.dev`. */
  readonly kept: readonly string[];
}

/**
 * Takes ebb off a cluster. Unless told to delete data, kinds, objects and settings of users stay, and what runs goes on
 * running, unscaled. Webhooks go first: nothing would answer them any more.
 */
export async function uninstall(client: Client, deleteData: boolean, waiting: Waiting): Promise<Removed> {
  const installed = await listInstalled(client);
  const isHook = ({ kind = "" }: KubeObject): boolean => kind.endsWith("WebhookConfiguration") || kind === "APIService";
  const data = installed.filter(isData);
  const crds = data.filter(({ kind }) => kind === "CustomResourceDefinition");
  const rest = installed.filter((object) => !isData(object) && !isHook(object)).toReversed();
  const settings = data.filter(({ kind }) => kind !== "CustomResourceDefinition");
  const steps: readonly (readonly [string, readonly KubeObject[]])[] = [
    ["admission webhooks", installed.filter(isHook)],
    // While the controller is there to let go of what it holds by a finalizer.
    ...(deleteData ? [["kinds with all their objects", crds] as const] : []),
    ["ebb", rest],
    ...(deleteData ? [["settings", settings.toReversed()] as const] : []),
  ];
  let removed = 0;
  for (const [what, objects] of steps) {
    if (objects.length === 0) continue;
    waiting.signal.throwIfAborted();
    waiting.tell(`removing ${what}`);
    for (const object of objects) if (await remove(client, object)) removed += 1;
    await waitUntilGone(client, objects, waiting);
  }
  // Last: a controller would make new ones.
  removed += await removeWaitingPods(client);
  for (const kind of [RoleBindingKind, RoleKind]) removed += await removeCertificateAccess(client, kind);
  return { removed, kept: deleteData ? [] : data.map(describe) };
}

/** Pods in users' namespaces that wait for functions, and belong to nobody else. */
async function removeWaitingPods(client: Client): Promise<number> {
  const { items } = await client.list(PodKind, { labelSelector: warmPoolLabel });
  await Promise.all(
    items.map(async ({ metadata: { namespace = "", name } }) => {
      try {
        await client.delete(PodKind, { namespace, name });
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    }),
  );
  return items.length;
}

/** What lets routers read certificates: there are none any more. */
async function removeCertificateAccess(client: Client, kind: Kind): Promise<number> {
  const { items } = await client.list(kind, {
    fieldSelector: `metadata.name=${certificateAccessName}`,
    labelSelector: "app.kubernetes.io/managed-by=ebb",
  });
  const removed = await Promise.all(
    items.map((item) => remove(client, { ...item, apiVersion: apiVersionOf(kind), kind: kind.kind })),
  );
  return removed.filter(Boolean).length;
}

async function waitUntilGone(client: Client, objects: readonly KubeObject[], waiting: Waiting): Promise<void> {
  let left = objects;
  for (;;) {
    const there = await Promise.all(left.map((object) => find(client, object)));
    left = left.filter((object, index) => there[index]?.metadata.uid === object.metadata.uid);
    if (left.length === 0) return;
    if (waiting.now() >= waiting.deadlineMs)
      throw new NotReadyError(
        `still there: ${left.map(describe).join(", ")}; something holds it by a finalizer, "kubectl get -o yaml" says which`,
      );
    await waiting.pause(200);
  }
}
