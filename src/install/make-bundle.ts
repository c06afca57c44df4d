/** Everything `ebb install` applies: pure data, the source of deploy/ too. */
import type { KubeObject } from "../api/meta/object.ts";
import { eventingConfigMapNames } from "../api/eventing/config-maps.ts";
import { eventingNamespace } from "../api/eventing/keys.ts";
import { servingConfigMapNames } from "../api/serving/config-maps.ts";
import { servingNamespace } from "../api/serving/keys.ts";
import type { BundleOptions } from "./bundle-options.ts";
import { bundleRevision } from "./bundle-revision.ts";
import { customKinds } from "./crds/custom-kinds.ts";
import { makeCrd } from "./crds/make-crd.ts";
import { components, installationRecord, installLabels, systemNamespace } from "./names.ts";
import { makeAccess } from "./rbac/make-roles.ts";
import { makeDeployment } from "./workloads/make-deployment.ts";
import { makeEvents } from "./workloads/make-events.ts";
import { makeApiServices } from "./webhooks/make-api-services.ts";
import { makeWebhooks } from "./webhooks/make-webhooks.ts";
import {
  makeDisruptionBudgets,
  makeNetworkPolicies,
  makePeersSecret,
  makePriorityClass,
  makeServices,
} from "./workloads/make-surroundings.ts";

/** Parts in the order in which they are applied; each rests on those before it. */
export interface Bundle {
  readonly crds: readonly KubeObject[];
  readonly namespaces: readonly KubeObject[];
  readonly access: readonly KubeObject[];
  /** ConfigMaps of Serving. Made where missing, then the user's: never applied over. */
  readonly settings: readonly KubeObject[];
  readonly workloads: readonly KubeObject[];
  /** Last: from then on nothing of ebb's kinds can be written without a controller that answers. */
  readonly webhooks: readonly KubeObject[];
}

export function makeBundle(options: BundleOptions): Bundle {
  return {
    crds: customKinds().map((kind) => labelled(makeCrd(kind))),
    namespaces: [...makeNamespaces(), makeInstallationRecord(options)],
    access: makeAccess(options.events !== undefined),
    settings: makeSettings(),
    workloads: [
      makePriorityClass(),
      ...makeNetworkPolicies(),
      makePeersSecret(),
      ...makeServices(options),
      ...makeDisruptionBudgets(),
      ...components.map((component) => makeDeployment(component, options)),
      ...makeEvents(options),
    ],
    webhooks: [
      ...makeWebhooks({ events: options.events !== undefined }),
      ...makeApiServices(options.events !== undefined),
    ],
  };
}

/** All parts in order, as one manifest holds them. */
export const objectsOf = ({
  crds,
  namespaces,
  access,
  settings,
  workloads,
  webhooks,
}: Bundle): readonly KubeObject[] => [...crds, ...namespaces, ...access, ...settings, ...workloads, ...webhooks];

const labelled = <T extends KubeObject>(object: T): T => ({
  ...object,
  metadata: { ...object.metadata, labels: { ...object.metadata.labels, ...installLabels } },
});

function makeNamespaces(): readonly KubeObject[] {
  const namespace = (name: string, labels: Readonly<Record<string, string>>): KubeObject =>
    ({
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name, labels: { ...installLabels, ...labels } },
    }) as KubeObject;
  return [
    namespace(systemNamespace, {
      "pod-security.kubernetes.io/enforce": "restricted",
      "pod-security.kubernetes.io/warn": "restricted",
    }),
    // Upstream's places for the config maps; nothing runs there.
    namespace(servingNamespace, { "pod-security.kubernetes.io/enforce": "restricted" }),
    namespace(eventingNamespace, { "pod-security.kubernetes.io/enforce": "restricted" }),
  ];
}

/** By which an older ebb knows that it would take away what a newer one brought. Written before anything is pruned. */
const makeInstallationRecord = ({ version }: BundleOptions): KubeObject =>
  ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: installationRecord, namespace: systemNamespace, labels: installLabels },
    data: { version, revision: String(bundleRevision) },
  }) as KubeObject;

function makeSettings(): readonly KubeObject[] {
  const settings = (namespace: string, names: readonly string[]): readonly KubeObject[] =>
    names.map((name) => {
      const data = namespace === servingNamespace ? ownSettings[name] : undefined;
      const labels = { ...installLabels, "app.kubernetes.io/name": namespace };
      const metadata = { name, namespace, labels };
      return { apiVersion: "v1", kind: "ConfigMap", metadata, ...(data ? { data } : {}) } as KubeObject;
    });
  return [...settings(servingNamespace, servingConfigMapNames), ...settings(eventingNamespace, eventingConfigMapNames)];
}

/**
 * Settings that are not upstream's defaults: what an instance may do is limited to the "restricted" Pod Security
 * Standard unless its author, or whoever keeps the cluster, says otherwise.
 */
const ownSettings: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "config-features": { "secure-pod-defaults": "enabled" },
};
