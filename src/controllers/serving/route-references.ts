/** Which Routes refer to a Configuration or Revision, in what they want and in what they have. */
import { keyOf } from "../../api/meta/object.ts";
import type { ObjectMeta } from "../../api/meta/types.gen.ts";
import { servingKeys } from "../../api/serving/keys.ts";
import type { Route, TrafficTarget } from "../../api/serving/types.gen.ts";
import type { Informer } from "../../client/informer.ts";

const byConfiguration = "serving-route-configuration";
const byRevision = "serving-route-revision";

export interface RouteReferences {
  /** Keys of the Routes that follow the Configuration. */
  toConfiguration(namespace: string, name: string): readonly string[];
  /** Keys of the Routes that name the Revision or follow its Configuration. */
  toRevision(revision: ObjectMeta): readonly string[];
  /** Routes whose spec or status names the Revision. */
  naming(namespace: string, revision: string): readonly Route[];
  following(namespace: string, configuration: string): readonly Route[];
}

export const targetsOf = ({ spec, status }: Route): readonly TrafficTarget[] => [
  ...(spec.traffic ?? []),
  ...(status?.traffic ?? []),
];

export function routesByReference(routes: Informer<Route>): RouteReferences {
  const index = (name: string, field: "configurationName" | "revisionName"): void =>
    routes.addIndex(name, (route) => {
      const names = new Set(targetsOf(route).flatMap((target) => target[field] || []));
      return [...names].map((target) => `${route.metadata.namespace}/${target}`);
    });
  index(byConfiguration, "configurationName");
  index(byRevision, "revisionName");
  const following = (namespace: string, name: string) => routes.byIndex(byConfiguration, `${namespace}/${name}`);
  const naming = (namespace: string, name: string) => routes.byIndex(byRevision, `${namespace}/${name}`);
  const keys = (found: readonly Route[]): readonly string[] => found.map((route) => keyOf(route.metadata));
  return {
    following,
    naming,
    toConfiguration: (namespace, name) => keys(following(namespace, name)),
    toRevision: ({ namespace = "", name, labels }) => {
      const configuration = labels?.[servingKeys.configuration] ?? "";
      return [...new Set([...keys(naming(namespace, name)), ...keys(following(namespace, configuration))])];
    },
  };
}
