/** `ebb install` and `ebb upgrade`: apply the bundle in order, wait, tell. */
import { CustomResourceDefinitionKind } from "../../api/apiextensions/kinds.ts";
import type { CustomResourceDefinition } from "../../api/apiextensions/types.gen.ts";
import type { KubeObject } from "../../api/meta/object.ts";
import type { Client } from "../../client/client.ts";
import type { BundleOptions } from "../bundle-options.ts";
import { makeBundle, objectsOf, type Bundle } from "../make-bundle.ts";
import { components, installLabels, nameOf } from "../names.ts";
import { applyObject, createOnce, find, type Outcome } from "./apply-objects.ts";
import { pruneExcept } from "./installed-objects.ts";
import { setDomain } from "./set-domain.ts";
import { NotReadyError, waitForDeployment, type Waiting } from "./wait-for-deployment.ts";
import { waitForNats } from "./wait-for-nats.ts";

export interface Installed {
  readonly created: number;
  readonly changed: number;
  readonly unchanged: number;
  readonly removed: number;
}

/**
 * Brings a cluster to what the bundle says. Applying twice changes nothing. Throws ApplyError where the API server
 * refuses, NotReadyError where something does not come up; what was applied stays, and the same call goes on from there.
 */
export async function install(client: Client, options: BundleOptions, waiting: Waiting): Promise<Installed> {
  const bundle = makeBundle(options);
  const count = { created: 0, changed: 0, unchanged: 0 };
  const apply = async (what: string, objects: readonly KubeObject[], by = applyObject): Promise<void> => {
    if (objects.length === 0) return;
    waiting.signal.throwIfAborted();
    waiting.tell(`applying ${what}`);
    for (const object of objects) count[await by(client, object)] += 1;
  };
  await refuseLossOfVersions(client, bundle);
  await apply("custom resource definitions", bundle.crds);
  await waitForCrds(client, bundle.crds, waiting);
  await apply("namespaces", bundle.namespaces);
  await apply("accounts and roles", bundle.access);
  await apply("settings", bundle.settings, createOnce);
  if (options.domain !== undefined) count[await setDomain(client, options.domain)] += 1;
  await apply("workloads", bundle.workloads);
  if (options.events?.nats.kind === "own") await waitForNats(client, options.events.nats, waiting);
  for (const component of options.events ? [...components, "events" as const] : components) {
    waiting.tell(`waiting for ${nameOf(component)}`);
    await waitForDeployment(client, component, waiting);
  }
  const apis = bundle.webhooks.filter(({ kind }) => kind === "APIService");
  const foreign = await foreignAmong(client, apis);
  const skipped = new Set(foreign.map(({ metadata }) => metadata.name));
  for (const name of skipped)
    waiting.tell(`${name} is served by somebody else already, such as KEDA, and left to them`);
  await apply(
    "admission webhooks and metrics APIs",
    bundle.webhooks.filter(({ metadata }) => !skipped.has(metadata.name)),
  );
  const removed = await pruneExcept(client, objectsOf(bundle));
  return { ...count, removed };
}

/** Of these objects those that are there already without ebb's labels. */
async function foreignAmong(client: Client, objects: readonly KubeObject[]): Promise<readonly KubeObject[]> {
  const found: KubeObject[] = [];
  for (const object of objects) {
    const there = await find(client, object);
    if (there && Object.entries(installLabels).some(([key, value]) => there.metadata.labels?.[key] !== value))
      found.push(object);
  }
  return found;
}

/** A version that objects are stored in must stay: nobody converts them silently, and they could not be read any more. */
async function refuseLossOfVersions(client: Client, { crds }: Bundle): Promise<void> {
  for (const crd of crds as readonly CustomResourceDefinition[]) {
    const there = (await find(client, crd)) as CustomResourceDefinition | undefined;
    const ours = new Set(crd.spec.versions.map(({ name }) => name));
    const lost = (there?.status?.storedVersions ?? []).filter((version) => !ours.has(version));
    if (lost.length > 0)
      throw new NotReadyError(
        `${crd.metadata.name} has objects stored as ${lost.join(", ")}, which this ebb does not know; use the ebb that installed it, or a newer one`,
      );
  }
}

async function waitForCrds(client: Client, crds: readonly KubeObject[], waiting: Waiting): Promise<void> {
  for (const { metadata } of crds)
    for (;;) {
      const crd = await client.get(CustomResourceDefinitionKind, { name: metadata.name });
      const conditions = crd.status?.conditions ?? [];
      if (conditions.some(({ type, status }) => type === "Established" && status === "True")) break;
      const wrong = conditions.find(({ type, status }) => type === "NamesAccepted" && status === "False");
      if (wrong) throw new NotReadyError(`${metadata.name} is not served: ${wrong.message ?? wrong.reason ?? ""}`);
      if (waiting.now() >= waiting.deadlineMs) throw new NotReadyError(`${metadata.name} is not served yet`);
      await waiting.pause(100);
    }
}

export type { Outcome };
