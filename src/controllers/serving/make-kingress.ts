/** The KIngress that tells the router what a Route wants (pkg/reconciler/route/resources/ingress.go). */
import type { Draft } from "../../api/meta/object.ts";
import { controllerReference } from "../../api/meta/owner.ts";
import type {
  HTTP01Challenge,
  HTTPIngressPath,
  Ingress,
  IngressBackendSplit,
  IngressRule,
  IngressTLS,
} from "../../api/networking-internal/types.gen.ts";
import { servingKeys as keys } from "../../api/serving/keys.ts";
import { RouteKind } from "../../api/serving/kinds.ts";
import type { Route } from "../../api/serving/types.gen.ts";
import { challengePaths } from "../certificates/challenge-paths.ts";
import type { Rollout } from "./rollout.ts";
import { mainTag, type TagHosts } from "./route-hosts.ts";
import type { RevisionTarget, Traffic } from "./route-traffic.ts";
import { without } from "./write.ts";

export interface KIngressParts {
  readonly route: Route;
  readonly traffic: Traffic;
  /** The shares of targets that follow a Configuration, in the middle of a rollout too. */
  readonly rollout: Rollout;
  /** One per tag of `traffic.byTag`. */
  readonly hosts: readonly TagHosts[];
  readonly ingressClass: string;
  readonly httpOption: "Enabled" | "Redirected";
  /** Flag tag-header-based-routing. */
  readonly tagHeaders: boolean;
  readonly tls?: readonly IngressTLS[];
  /** What has to be answered at external hosts while their certificates are made. */
  readonly challenges?: readonly HTTP01Challenge[];
}

const tagHeader = "Knative-Serving-Tag";
const defaultRouteHeader = "Knative-Serving-Default-Route";

export function makeKIngress(parts: KIngressParts): Draft<Ingress> {
  const { route, rollout, hosts, ingressClass, httpOption, tls = [] } = parts;
  const { name, namespace = "", labels, annotations } = route.metadata;
  const hidden: readonly string[] = [keys.lastApplied, keys.rolloutDuration, keys.rolloutDurationOld];
  return {
    metadata: {
      name,
      namespace,
      labels: { ...labels, [keys.route]: name, [keys.routeNamespace]: namespace },
      annotations: {
        [keys.ingressClass]: ingressClass,
        [keys.rollout]: JSON.stringify(rollout),
        ...without(annotations, (key) => hidden.includes(key)),
      },
      ownerReferences: [controllerReference(RouteKind, route)],
    },
    spec: {
      rules: hosts.toSorted((a, b) => (a.tag < b.tag ? -1 : 1)).flatMap((one) => rulesOf(parts, one)),
      ...(tls.length > 0 ? { tls } : {}),
      httpOption,
    },
  };
}

function rulesOf(parts: KIngressParts, { tag, external, local }: TagHosts): readonly IngressRule[] {
  const paths = pathsOf(parts, tag);
  const rules: IngressRule[] = [{ hosts: local, visibility: "ClusterLocal", http: { paths } }];
  if (external !== undefined) {
    const first = challengePaths(parts.challenges ?? [], external);
    rules.push({ hosts: [external], visibility: "ExternalIP", http: { paths: [...first, ...paths] } });
  }
  return rules;
}

/** With tag headers, the main hosts first look for a tag's header and mark what goes by the normal split. */
function pathsOf(parts: KIngressParts, tag: string): readonly HTTPIngressPath[] {
  const path = pathOf(parts, tag);
  if (!parts.tagHeaders) return [path];
  if (tag !== mainTag) return [{ ...path, appendHeaders: { [tagHeader]: tag } }];
  const tags = [...parts.traffic.byTag.keys()].filter((known) => known !== mainTag).sort();
  const byHeader = tags.map((known) => ({ ...pathOf(parts, known), headers: { [tagHeader]: { exact: known } } }));
  return [...byHeader, { ...path, appendHeaders: { [defaultRouteHeader]: "true" } }];
}

function pathOf({ route, traffic, rollout }: KIngressParts, tag: string): HTTPIngressPath {
  const namespace = route.metadata.namespace ?? "";
  const splits = (traffic.byTag.get(tag) ?? [])
    .flatMap((target) => sharesOf(target, tag, rollout))
    .filter(({ percent }) => percent > 0)
    .map(({ revisionName, percent }) => makeSplit(revisionName, namespace, percent));
  return { splits };
}

/** A target's Revisions: one, or several in the middle of a rollout. */
export function sharesOf(
  { revisionName, configurationName, latestRevision, percent }: RevisionTarget,
  tag: string,
  rollout: Rollout,
): readonly { readonly revisionName: string; readonly percent: number }[] {
  const rolling = latestRevision
    ? rollout.find((target) => target.tag === tag && target.configurationName === configurationName)
    : undefined;
  return rolling && rolling.revisions.length > 1 ? rolling.revisions : [{ revisionName, percent }];
}

const makeSplit = (revision: string, namespace: string, percent: number): IngressBackendSplit => ({
  serviceName: revision,
  serviceNamespace: namespace,
  servicePort: 80,
  percent,
  appendHeaders: { "Knative-Serving-Revision": revision, "Knative-Serving-Namespace": namespace },
});

/** The shape a Route wants in the end: one Revision per target that follows a Configuration and has traffic. */
export function wantedRollout({ byTag }: Traffic): Rollout {
  const targets = [...byTag].flatMap(([tag, members]) =>
    members
      .filter(({ latestRevision, percent }) => latestRevision && percent > 0)
      .map(({ configurationName, revisionName, percent }) => ({
        configurationName,
        tag,
        percent,
        revisions: [{ revisionName, percent }],
      })),
  );
  const order = (t: (typeof targets)[number]): string => `${t.tag}/${t.configurationName}`;
  return targets.sort((a, b) => (order(a) < order(b) ? -1 : 1));
}
