import { createHash } from "node:crypto";
import type { KindDefinition } from "../../api/meta/definition.ts";
import { apiVersionOf, type Kind } from "../../api/meta/kind.ts";
import type { Catalog } from "../registry/catalog.ts";
import type { VirtualResource } from "./exchange.ts";

/** One resource or subresource as discovery tells of it. */
interface ResourceFacts {
  readonly kind: Kind;
  readonly verbs: readonly string[];
  readonly subresources: readonly SubresourceFacts[];
}

interface SubresourceFacts {
  readonly name: string;
  readonly kind: Pick<Kind, "group" | "version" | "kind">;
  readonly verbs: readonly string[];
}

interface GroupFacts {
  readonly name: string;
  /** In order of preference. */
  readonly versions: ReadonlyMap<string, readonly ResourceFacts[]>;
}

const allVerbs = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
const statusVerbs = ["get", "patch", "update"];

/** Every discovery document of one state of the catalog. */
export interface Discovery {
  /** Strong ETag of the aggregated documents. */
  readonly etag: string;
  coreVersions(): object;
  groupList(): object;
  group(name: string): object | undefined;
  resourceList(group: string, version: string): object | undefined;
  /** apidiscovery.k8s.io APIGroupDiscoveryList of the core group or of all others. */
  aggregated(core: boolean, version: string): object;
}

export function makeDiscovery(catalog: Catalog, virtual: readonly VirtualResource[]): Discovery {
  const groups = collect(catalog, virtual);
  const named = [...groups.values()].filter((group) => group.name !== "");
  const text = JSON.stringify([...groups.values()].map((group) => [group.name, ...group.versions]));
  return {
    etag: `"${createHash("sha256").update(text).digest("hex").toUpperCase()}"`,
    coreVersions: () => ({ kind: "APIVersions", versions: ["v1"], serverAddressByClientCIDRs: [] }),
    groupList: () => ({ kind: "APIGroupList", apiVersion: "v1", groups: named.map((group) => apiGroup(group)) }),
    group: (name) => {
      const group = named.find((known) => known.name === name);
      return group && { kind: "APIGroup", apiVersion: "v1", ...apiGroup(group) };
    },
    resourceList: (group, version) => {
      const resources = groups.get(group)?.versions.get(version);
      return resources && resourceList(group, version, resources);
    },
    aggregated: (core, version) => ({
      kind: "APIGroupDiscoveryList",
      apiVersion: `apidiscovery.k8s.io/${version}`,
      metadata: {},
      items: [...groups.values()].filter(({ name }) => (name === "") === core).map((group) => groupDiscovery(group)),
    }),
  };
}

function collect(catalog: Catalog, virtual: readonly VirtualResource[]): Map<string, GroupFacts> {
  const groups = new Map<string, { name: string; versions: Map<string, ResourceFacts[]> }>();
  const add = (facts: ResourceFacts): void => {
    const { group: name, version } = facts.kind;
    let group = groups.get(name);
    if (!group) groups.set(name, (group = { name, versions: new Map() }));
    group.versions.set(version, [...(group.versions.get(version) ?? []), facts]);
  };
  for (const { definition } of catalog.all()) add(factsOf(definition));
  for (const { kind, verbs } of virtual) add({ kind, verbs, subresources: [] });
  return groups;
}

function factsOf(definition: KindDefinition): ResourceFacts {
  const { kind } = definition;
  const subresources: SubresourceFacts[] = [];
  if (definition.statusSubresource) subresources.push({ name: "status", kind, verbs: statusVerbs });
  if (definition.scale)
    subresources.push({
      name: "scale",
      kind: { group: "autoscaling", version: "v1", kind: "Scale" },
      verbs: statusVerbs,
    });
  const known = new Set(subresources.map(({ name }) => name));
  subresources.push(...(definition.otherSubresources ?? []).filter(({ name }) => !known.has(name)));
  return { kind, verbs: definition.verbs ?? allVerbs, subresources };
}

function apiGroup({ name, versions }: GroupFacts): object {
  const list = [...versions.keys()].map((version) => ({ groupVersion: `${name}/${version}`, version }));
  return { name, versions: list, preferredVersion: list[0] };
}

function resourceList(group: string, version: string, resources: readonly ResourceFacts[]): object {
  return {
    kind: "APIResourceList",
    apiVersion: "v1",
    groupVersion: apiVersionOf({ group, version }),
    resources: resources.flatMap(({ kind, verbs, subresources }) => [
      {
        name: kind.plural,
        singularName: kind.singular,
        namespaced: kind.namespaced,
        kind: kind.kind,
        verbs,
        ...(kind.shortNames.length > 0 ? { shortNames: kind.shortNames } : {}),
        ...(kind.categories.length > 0 ? { categories: kind.categories } : {}),
      },
      ...subresources.map((sub) => ({
        name: `${kind.plural}/${sub.name}`,
        singularName: "",
        namespaced: kind.namespaced,
        ...(sub.kind.group === group && sub.kind.version === version
          ? {}
          : { group: sub.kind.group, version: sub.kind.version }),
        kind: sub.kind.kind,
        verbs: sub.verbs,
      })),
    ]),
  };
}

function groupDiscovery({ name, versions }: GroupFacts): object {
  return {
    metadata: name === "" ? { creationTimestamp: null } : { name, creationTimestamp: null },
    versions: [...versions].map(([version, resources]) => ({
      version,
      resources: resources.map((facts) => resourceDiscovery(facts)),
      freshness: "Current",
    })),
  };
}

function resourceDiscovery({ kind, verbs, subresources }: ResourceFacts): object {
  return {
    resource: kind.plural,
    responseKind: { group: kind.group, version: kind.version, kind: kind.kind },
    scope: kind.namespaced ? "Namespaced" : "Cluster",
    singularResource: kind.singular,
    verbs,
    ...(kind.shortNames.length > 0 ? { shortNames: kind.shortNames } : {}),
    ...(kind.categories.length > 0 ? { categories: kind.categories } : {}),
    ...(subresources.length > 0
      ? {
          subresources: subresources.map((sub) => ({
            subresource: sub.name,
            responseKind: { group: sub.kind.group, version: sub.kind.version, kind: sub.kind.kind },
            verbs: sub.verbs,
          })),
        }
      : {}),
  };
}
