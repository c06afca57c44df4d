/** ApiServerSource: an event for every change of objects of some kinds (eventing pkg/reconciler/apiserversource). */
import { NamespaceKind } from "../../api/core/kinds.ts";
import { matchesLabelSelector } from "../../api/meta/label-selector.ts";
import { keyOf } from "../../api/meta/object.ts";
import { isFalse, isTrue, isUnknown, type Verdict } from "../../api/serving/conditions.ts";
import {
  apiServerEventType,
  apiServerUrl,
  apiServerVerbs,
  lacksPermission,
  type ApiServerSettings,
  type WatchedKind,
} from "../../api/sources/api-server-events.ts";
import { ApiServerSourceKind } from "../../api/sources/kinds.ts";
import type { ApiServerSource } from "../../api/sources/types.gen.ts";
import { watching } from "../../client/keys.ts";
import type { EventingDeps } from "./deps.ts";
import { sourceFollower, type SourceFollower } from "./message-source-controller.ts";
import { askAgainMs } from "./status-parts.ts";

/** It is read by src/events/sources, as the account that it names. */
export function apiServerSource(deps: EventingDeps): SourceFollower {
  const sources = deps.informers.of(ApiServerSourceKind);
  const { kind, spec } = sourceFollower<ApiServerSource>(deps, {
    kind: ApiServerSourceKind,
    conditions: ["Deployed", "SufficientPermissions"],
    sourceOf: () => apiServerUrl,
    settingsOf: (source) => settingsOf(deps, source),
    attributesOf: ({ spec }) =>
      Object.values(apiServerVerbs).map((verb) => ({ type: apiServerEventType(spec, verb), source: apiServerUrl })),
    verdictsOf: (source, connection) => verdictsOf(deps, source, connection),
    statusOf: (source) => ({ namespaces: namespacesOf(deps, source) }),
    askAgainMs: (source) => (missingKinds(deps, source).length > 0 ? askAgainMs : undefined),
  });
  const selecting = watching(NamespaceKind, () =>
    sources
      .list()
      .filter(({ spec }) => spec.namespaceSelector)
      .map(({ metadata }) => keyOf(metadata)),
  );
  return { kind, spec: { ...spec, name: "eventing-api-server-source", watches: [...spec.watches, selecting] } };
}

function settingsOf(deps: EventingDeps, source: ApiServerSource): ApiServerSettings {
  const { resources = [], mode, owner, filters, serviceAccountName, namespaceSelector } = source.spec;
  const watched = resources.flatMap(({ apiVersion = "", kind = "", selector }): readonly WatchedKind[] => {
    const found = deps.served.find(apiVersion, kind);
    return found ? [{ kind: found, ...(selector ? { selector } : {}) }] : [];
  });
  const isAll = namespaceSelector && Object.values(namespaceSelector).flat().length === 0;
  return {
    watched,
    serviceAccountName: serviceAccountName || "default",
    ...(mode ? { mode } : {}),
    ...(owner ? { owner } : {}),
    ...(filters ? { filters } : {}),
    ...(isAll ? {} : { namespaces: namespacesOf(deps, source) }),
  };
}

const missingKinds = (deps: EventingDeps, { spec }: ApiServerSource): readonly string[] =>
  (spec.resources ?? []).flatMap(({ apiVersion = "", kind = "" }) =>
    deps.served.find(apiVersion, kind) ? [] : [`${kind} of ${apiVersion}`],
  );

function verdictsOf(
  deps: EventingDeps,
  source: ApiServerSource,
  connection: Verdict,
): { readonly Deployed: Verdict; readonly SufficientPermissions: Verdict } {
  const missing = missingKinds(deps, source);
  const isLacking = connection.status === "False" && connection.message?.includes(lacksPermission) === true;
  const permissions = isLacking ? isFalse("LackingPermissions", connection.message ?? "") : isTrue;
  return {
    Deployed:
      missing.length > 0
        ? isUnknown("KindsNotServed", `not watched yet: ${missing.join(", ")}`)
        : isLacking
          ? isUnknown("LackingPermissions", "it is not watched before its account may")
          : connection,
    SufficientPermissions:
      namespacesOf(deps, source).length > 0
        ? permissions
        : isFalse("NoNamespaces", "no namespace has the labels of namespaceSelector"),
  };
}

function namespacesOf({ informers }: EventingDeps, { metadata, spec }: ApiServerSource): readonly string[] {
  const { namespaceSelector } = spec;
  if (!namespaceSelector) return [metadata.namespace ?? ""];
  return informers
    .of(NamespaceKind)
    .list()
    .filter((one) => matchesLabelSelector(namespaceSelector, one.metadata.labels ?? {}))
    .map((one) => one.metadata.name)
    .sort();
}
