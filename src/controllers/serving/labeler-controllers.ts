import { isNotFound } from "../../api/meta/errors.ts";
import type { Kind } from "../../api/meta/kind.ts";
import { keyOf, type KubeObject } from "../../api/meta/object.ts";
import { servingKeys } from "../../api/serving/keys.ts";
import { ConfigurationKind, RevisionKind, RouteKind } from "../../api/serving/kinds.ts";
import type { Configuration, Revision, Route } from "../../api/serving/types.gen.ts";
import type { ControllerSpec } from "../../client/controller.ts";
import type { Informer } from "../../client/informer.ts";
import { selfKey, watching } from "../../client/keys.ts";
import { revisionsByConfiguration } from "./configuration-controller.ts";
import type { ServingDeps } from "./deps.ts";
import { routesByReference, targetsOf, type RouteReferences } from "./route-references.ts";
import {
  configurationPatch,
  routeNamesOf,
  routingPatch,
  type MetadataPatch,
  type RoutingFacts,
} from "./routing-state.ts";
import { markFacts, whenChanged } from "./when-changed.ts";

const byMark = "serving-marked-with-route";

const marksOf = ({ metadata }: KubeObject): readonly string[] =>
  routeNamesOf(metadata).map((name) => `${metadata.namespace}/${name}`);

/** Marks Revisions and Configurations with the Routes that refer to them. */
export function labelerControllers(deps: ServingDeps): readonly ControllerSpec[] {
  const routes = deps.informers.of(RouteKind);
  const configurations = deps.informers.of(ConfigurationKind);
  const revisions = deps.informers.of(RevisionKind);
  const revisionsOf = revisionsByConfiguration(revisions);
  const references = routesByReference(routes);
  revisions.addIndex(byMark, marksOf);
  configurations.addIndex(byMark, marksOf);
  return [
    {
      name: "knative-revision-routing",
      watches: [
        watching(RevisionKind, whenChanged(markFacts, selfKey)),
        watching(ConfigurationKind, ({ metadata }) => keysOf(revisionsOf(keyOf(metadata)))),
        watching(RouteKind, (route, old) => affected(route, old, revisions, (name) => keysOf(revisionsOf(name)))),
      ],
      async reconcile(key) {
        const revision = revisions.get(key);
        if (!revision || revision.metadata.deletionTimestamp) return;
        const facts = factsOf(routes, revision, referringTo(revision, references, configurations));
        await write(deps, RevisionKind, revision, routingPatch(facts, deps.clock.now()));
      },
    },
    {
      name: "knative-configuration-routing",
      watches: [
        watching(ConfigurationKind, selfKey),
        watching(RouteKind, (route, old) => affected(route, old, configurations, (name) => [name])),
      ],
      async reconcile(key) {
        const configuration = configurations.get(key);
        if (!configuration || configuration.metadata.deletionTimestamp) return;
        const { namespace = "", name } = configuration.metadata;
        const own = revisionsOf(key).flatMap((revision) => references.naming(namespace, revision.metadata.name));
        const referring = unique([...references.following(namespace, name), ...own]);
        await write(
          deps,
          ConfigurationKind,
          configuration,
          configurationPatch(factsOf(routes, configuration, referring)),
        );
      },
    },
  ];
}

const keysOf = (objects: readonly KubeObject[]): readonly string[] => objects.map((object) => keyOf(object.metadata));

const unique = (routes: readonly Route[]): readonly Route[] => [...new Set(routes)];

/** What the Route names now or named before, or still marks as its own. */
function affected<T extends KubeObject>(
  route: Route,
  old: Route | undefined,
  marked: Informer<T>,
  ofConfiguration: (key: string) => readonly string[],
): readonly string[] {
  const { namespace, name } = route.metadata;
  const found = new Set<string>();
  for (const { revisionName, configurationName } of [...targetsOf(route), ...(old ? targetsOf(old) : [])]) {
    if (revisionName) found.add(`${namespace}/${revisionName}`);
    if (configurationName) for (const key of ofConfiguration(`${namespace}/${configurationName}`)) found.add(key);
  }
  for (const key of keysOf(marked.byIndex(byMark, `${namespace}/${name}`))) found.add(key);
  return [...found];
}

/** Routes that name the Revision, and those that follow its Configuration while it is the newest one there. */
function referringTo(
  { metadata }: Revision,
  references: RouteReferences,
  configurations: Informer<Configuration>,
): readonly Route[] {
  const { namespace = "", name } = metadata;
  const configuration = metadata.labels?.[servingKeys.configuration] ?? "";
  const { latestCreatedRevisionName, latestReadyRevisionName } =
    configurations.get(`${namespace}/${configuration}`)?.status ?? {};
  const newest = name === latestCreatedRevisionName || name === latestReadyRevisionName;
  return unique([
    ...references.naming(namespace, name),
    ...(newest ? references.following(namespace, configuration) : []),
  ]);
}

const factsOf = (routes: Informer<Route>, { metadata }: KubeObject, referring: readonly Route[]): RoutingFacts => ({
  metadata,
  referring: referring.filter((route) => !route.metadata.deletionTimestamp),
  route: (name) => routes.get(`${metadata.namespace}/${name}`),
});

async function write<T extends KubeObject>(
  { client }: ServingDeps,
  kind: Kind<T>,
  { metadata: { name, namespace = "" } }: T,
  metadata: MetadataPatch | undefined,
): Promise<void> {
  if (!metadata) return;
  try {
    await client.patch(kind, { namespace, name }, { type: "merge", body: { metadata } });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
