import { eventingNamespace } from "../../api/eventing/keys.ts";
import { isForbidden, isNotFound } from "../../api/meta/errors.ts";
import { apiVersionOf, groupResourceKey, type Kind } from "../../api/meta/kind.ts";
import type { KubeObject } from "../../api/meta/object.ts";
import { servingNamespace } from "../../api/serving/keys.ts";
import type { Client } from "../../client/client.ts";
import { makeBundle, objectsOf } from "../make-bundle.ts";
import { installLabels } from "../names.ts";
import { describe, keyOfObject, kindOf } from "./object-kinds.ts";

const labelSelector = Object.entries(installLabels)
  .map(([key, value]) => `${key}=${value}`)
  .join(",");

/** What holds data of users: removed only when they say so, and never by an upgrade. */
export const isData = ({ kind, metadata }: KubeObject): boolean =>
  kind === "CustomResourceDefinition" ||
  kind === "PersistentVolumeClaim" ||
  (kind === "Namespace" && settingsNamespaces.has(metadata.name)) ||
  (kind === "ConfigMap" && settingsNamespaces.has(metadata.namespace ?? ""));

const settingsNamespaces: ReadonlySet<string> = new Set([servingNamespace, eventingNamespace]);

/** Everything of any version of ebb that is installed, found by its labels, in the order of applying. */
export async function listInstalled(client: Client): Promise<readonly KubeObject[]> {
  const bundle = makeBundle({
    version: "",
    image: "",
    replicas: { controller: 0, router: 0 },
    serviceType: "ClusterIP",
  });
  const kinds = new Map<string, Kind>();
  for (const object of [...objectsOf(bundle), ...formerly]) {
    const kind = kindOf(object);
    kinds.set(groupResourceKey(kind), kind);
  }
  const found: KubeObject[] = [];
  for (const kind of kinds.values()) {
    const { items } = await client.list(kind, { labelSelector }).catch(nothingThere);
    // Items of a list do not say what they are.
    for (const item of items) found.push({ ...item, apiVersion: apiVersionOf(kind), kind: kind.kind });
  }
  return found;
}

/** Kinds that other versions of ebb install, or that come of what is installed. */
const formerly = [
  { apiVersion: "apps/v1", kind: "StatefulSet" },
  { apiVersion: "v1", kind: "PersistentVolumeClaim" },
  { apiVersion: "admissionregistration.k8s.io/v1", kind: "MutatingWebhookConfiguration" },
  { apiVersion: "admissionregistration.k8s.io/v1", kind: "ValidatingWebhookConfiguration" },
  { apiVersion: "admissionregistration.k8s.io/v1", kind: "ValidatingAdmissionPolicy" },
  { apiVersion: "admissionregistration.k8s.io/v1", kind: "ValidatingAdmissionPolicyBinding" },
  { apiVersion: "apiregistration.k8s.io/v1", kind: "APIService" },
];

function nothingThere(error: unknown): { readonly items: readonly KubeObject[] } {
  if (isNotFound(error) || isForbidden(error)) return { items: [] };
  throw error;
}

/** Removes what an older version installed and this one does not. Returns how many. */
export async function pruneExcept(client: Client, wanted: readonly KubeObject[]): Promise<number> {
  const names = new Set(wanted.map(describe));
  const left = (await listInstalled(client)).filter((object) => !names.has(describe(object)) && !isData(object));
  for (const object of left) await remove(client, object);
  return left.length;
}

/** Deletes an object; false when it was not there. */
export async function remove(client: Client, object: KubeObject): Promise<boolean> {
  try {
    await client.delete(kindOf(object), keyOfObject(object), { propagationPolicy: "Background" });
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}
