import { isDeepStrictEqual } from "node:util";
import { ConfigMapKind, ServiceKind } from "../../api/core/kinds.ts";
import type { Service as CoreService } from "../../api/core/types.gen.ts";
import { isNotFound } from "../../api/meta/errors.ts";
import { keyOf, type Draft } from "../../api/meta/object.ts";
import { isControlledBy } from "../../api/meta/owner.ts";
import { parseDuration } from "../../api/meta/duration.ts";
import { KCertificateKind, KIngressKind } from "../../api/networking-internal/kinds.ts";
import type { Certificate, Ingress } from "../../api/networking-internal/types.gen.ts";
import { isFalse, isReady } from "../../api/serving/conditions.ts";
import { servingKeys } from "../../api/serving/keys.ts";
import { ConfigurationKind, RevisionKind, RouteKind } from "../../api/serving/kinds.ts";
import type { Route } from "../../api/serving/types.gen.ts";
import type { ControllerSpec, ReconcileResult } from "../../client/controller.ts";
import { controllerKey, labelKey, selfKey, watching } from "../../client/keys.ts";
import type { HostTls } from "../certificates/host-certificates.ts";
import { routeTls, secured } from "../certificates/route-certificates.ts";
import { httpOptionOf } from "./http-option.ts";
import { isServingConfig, servingConfig, type ServingConfig } from "./config.ts";
import type { ServingDeps } from "./deps.ts";
import { makeKIngress, wantedRollout } from "./make-kingress.ts";
import { makeRouteService } from "./make-route-services.ts";
import { parseRollout, stepRollout, type Rollout } from "./rollout.ts";
import { hostsOf, mainTag, type HostSettings, type TagHosts } from "./route-hosts.ts";
import { routesByReference } from "./route-references.ts";
import { routeStatus, type RouteOutcome } from "./route-status.ts";
import { resolveTraffic, type Traffic } from "./route-traffic.ts";
import { notOwned } from "./service-status.ts";
import { ownFacts, revisionFacts, whenChanged } from "./when-changed.ts";
import { covers, createOrGet, lookAgain, observing, writeStatus } from "./write.ts";

interface Parts {
  readonly deps: ServingDeps;
  readonly config: ServingConfig;
  readonly servicesOf: (routeKey: string) => readonly CoreService[];
}

const byRoute = "serving-route";

/** Turns a Route's targets into a KIngress for the router and core Services for the names inside the cluster. */
export function routeController(deps: ServingDeps): ControllerSpec {
  const routes = deps.informers.of(RouteKind);
  const services = deps.informers.of(ServiceKind);
  services.addIndex(byRoute, ({ metadata }) => {
    const route = metadata.labels?.[servingKeys.route];
    return route === undefined ? [] : [`${metadata.namespace}/${route}`];
  });
  const parts: Parts = {
    deps,
    config: servingConfig(deps.informers),
    servicesOf: (key) => services.byIndex(byRoute, key),
  };
  const referring = routesByReference(routes);
  const ofRoute = controllerKey(RouteKind);
  // One for all hosts of a namespace is nobody's in particular.
  const routesOfCertificate = (certificate: Certificate, old: Certificate | undefined): readonly string[] =>
    certificate.metadata.labels?.[servingKeys.wildcardDomain] === undefined
      ? ofRoute(certificate, old)
      : routes.list(certificate.metadata.namespace).map((route) => keyOf(route.metadata));
  return {
    name: "knative-route",
    watches: [
      watching(RouteKind, whenChanged(ownFacts, selfKey)),
      watching(KIngressKind, controllerKey(RouteKind)),
      watching(KCertificateKind, routesOfCertificate),
      watching(ServiceKind, labelKey(servingKeys.route)),
      watching(ConfigurationKind, ({ metadata }) => referring.toConfiguration(metadata.namespace ?? "", metadata.name)),
      watching(
        RevisionKind,
        whenChanged(revisionFacts, ({ metadata }) => referring.toRevision(metadata)),
      ),
      watching(ConfigMapKind, (map) =>
        isServingConfig(map, "config-domain", "config-network", "config-features")
          ? routes.list().map((route) => keyOf(route.metadata))
          : [],
      ),
    ],
    async reconcile(key) {
      const route = routes.get(key);
      if (!route || route.metadata.deletionTimestamp) return;
      return observing(deps, RouteKind, route, () => reconcileRoute(parts, route));
    },
  };
}

async function reconcileRoute(parts: Parts, route: Route): Promise<ReconcileResult> {
  const { deps, config } = parts;
  const traffic = findTraffic(parts, route);
  const named = nameHosts(parts, route, traffic.ok ? [...traffic.traffic.byTag.keys()] : [mainTag]);
  const now = deps.clock.now();
  let outcome: RouteOutcome;
  let nextMs: number | undefined;
  let tls: HostTls | undefined;
  if (!named.ok) outcome = { kind: "unassigned", verdict: isFalse("ErrorConfig", named.problem) };
  else if (!traffic.ok) outcome = { kind: "unassigned", verdict: traffic.verdict };
  else {
    tls = await routeTls(deps, config, route, [...named.hosts.values()]);
    const wanted = { route, traffic: traffic.traffic, hosts: named.hosts, tls, now };
    ({ outcome, nextMs } = await program(parts, wanted));
  }
  const hosts = secured(named.hosts, tls);
  const status = routeStatus({ route, outcome, hosts, certificates: tls?.verdict, now });
  await writeStatus(deps, RouteKind, route, status);
  if (outcome.kind === "foreign") return lookAgain;
  return nextMs === undefined ? {} : { requeueAfterMs: Math.max(0, nextMs - now) };
}

function findTraffic({ deps }: Parts, route: Route) {
  const { namespace = "" } = route.metadata;
  const configurations = deps.informers.of(ConfigurationKind);
  const revisions = deps.informers.of(RevisionKind);
  return resolveTraffic(route, {
    configuration: (name) => configurations.get(`${namespace}/${name}`),
    revision: (name) => revisions.get(`${namespace}/${name}`),
  });
}

type Named =
  | { readonly ok: true; readonly hosts: ReadonlyMap<string, TagHosts> }
  | { readonly ok: false; readonly problem: string; readonly hosts: ReadonlyMap<string, TagHosts> };

function nameHosts({ deps, config }: Parts, route: Route, tags: readonly string[]): Named {
  const settings: HostSettings = {
    network: config.network(),
    domains: config.domain(),
    defaultDomain: deps.defaultDomain,
    externalPort: deps.externalPort(),
  };
  const services = deps.informers.of(ServiceKind);
  const hosts = new Map<string, TagHosts>();
  for (const tag of tags) {
    const found = hostsOf(route, tag, settings, (name) => services.get(`${route.metadata.namespace}/${name}`));
    if (!found.ok) return { ok: false, problem: found.problem, hosts };
    hosts.set(tag, found.hosts);
  }
  return { ok: true, hosts };
}

interface Program {
  readonly route: Route;
  readonly traffic: Traffic;
  readonly hosts: ReadonlyMap<string, TagHosts>;
  readonly tls: HostTls;
  readonly now: number;
}

interface Programmed {
  readonly outcome: RouteOutcome;
  readonly nextMs: number | undefined;
}

async function program(parts: Parts, wanted: Program): Promise<Programmed> {
  const { route, traffic, hosts, now } = wanted;
  const ingresses = parts.deps.informers.of(KIngressKind);
  const have = ingresses.get(keyOf(route.metadata));
  // Names first: a Route that cannot have its own must not take requests under it.
  const foreign = await reconcileServices(parts, route, [...hosts.values()], have);
  if (foreign !== undefined) {
    const message = `There is an existing placeholder Service ${JSON.stringify(foreign)} that we do not own.`;
    return { outcome: { kind: "foreign", traffic, message }, nextMs: undefined };
  }
  const mine = have && isControlledBy(have, route) ? have : undefined;
  const { rollout, nextMs } = rollOn(parts, route, traffic, mine, now);
  const ingress = await reconcileIngress(parts, wanted, rollout, have);
  if (ingress === undefined) {
    const message = notOwned("Ingress", route.metadata.name);
    return { outcome: { kind: "foreign", traffic, message }, nextMs: undefined };
  }
  return { outcome: { kind: "assigned", traffic, rollout, ingress }, nextMs };
}

/** The first Revision a Route ever has takes everything at once. */
function rollOn({ config }: Parts, route: Route, traffic: Traffic, ingress: Ingress | undefined, nowMs: number) {
  const wanted = wantedRollout(traffic);
  const durationS = rolloutDurationS(route) || config.network().rolloutDurationS;
  if (!ingress || durationS <= 0) return { rollout: wanted, nextMs: undefined };
  const before = parseRollout(ingress.metadata.annotations?.[servingKeys.rollout]);
  return stepRollout(wanted, before, { nowMs, durationS, confirmed: isReady(ingress) });
}

function rolloutDurationS({ metadata }: Route): number {
  const { [servingKeys.rolloutDuration]: text, [servingKeys.rolloutDurationOld]: old } = metadata.annotations ?? {};
  return (parseDuration(text ?? old ?? "") ?? 0) / 1000;
}

/** Undefined: the name belongs to somebody else. */
async function reconcileIngress(
  { deps, config }: Parts,
  { route, traffic, hosts, tls }: Program,
  rollout: Rollout,
  informed: Ingress | undefined,
): Promise<Ingress | undefined> {
  const network = config.network();
  const annotations = route.metadata.annotations ?? {};
  const draft = makeKIngress({
    route,
    traffic,
    rollout,
    hosts: [...hosts.values()],
    ingressClass: annotations[servingKeys.ingressClass] ?? network.ingressClass,
    httpOption: httpOptionOf(annotations) ?? (tls.isComplete ? network.httpProtocol : "Enabled"),
    tls: tls.tls,
    challenges: tls.challenges,
    tagHeaders: config.features()("tag-header-based-routing") === "Enabled",
  });
  const have = informed ?? (await createOrGet(deps.client, KIngressKind, draft));
  if (!isControlledBy(have, route)) return undefined;
  if (isSameIngress(have, draft)) return have;
  const { labels = {}, annotations: wanted = {} } = draft.metadata;
  const metadata = { ...have.metadata, labels, annotations: wanted };
  return deps.client.update(KIngressKind, { ...have, metadata, spec: draft.spec });
}

function isSameIngress(have: Ingress, draft: Draft<Ingress>): boolean {
  return (
    isDeepStrictEqual(have.spec, draft.spec) &&
    isDeepStrictEqual(have.metadata.labels, draft.metadata.labels) &&
    isDeepStrictEqual(have.metadata.annotations, draft.metadata.annotations)
  );
}

/** Makes and removes the Route's core Services; gives the name of one that belongs to somebody else. */
async function reconcileServices(
  { deps, servicesOf }: Parts,
  route: Route,
  hosts: readonly TagHosts[],
  ingress: Ingress | undefined,
): Promise<string | undefined> {
  const { client, informers } = deps;
  const services = informers.of(ServiceKind);
  const { namespace = "" } = route.metadata;
  for (const one of hosts) {
    const draft = makeRouteService(route, one, ingress);
    const have = services.get(`${namespace}/${one.hostname}`) ?? (await createOrGet(client, ServiceKind, draft));
    if (!isControlledBy(have, route)) return one.hostname;
    const { labels, annotations } = draft.metadata;
    if (covers(have.spec, draft.spec) && covers(have.metadata, { labels, annotations })) continue;
    const metadata = {
      ...have.metadata,
      labels: { ...have.metadata.labels, ...labels },
      annotations: { ...have.metadata.annotations, ...annotations },
    };
    await client.update(ServiceKind, { ...have, metadata, spec: { ...have.spec, ...draft.spec } });
  }
  const wanted = new Set(hosts.map(({ hostname }) => hostname));
  for (const { metadata } of servicesOf(keyOf(route.metadata))) {
    const service = services.get(keyOf(metadata));
    if (wanted.has(metadata.name) || !service || !isControlledBy(service, route)) continue;
    await client.delete(ServiceKind, { namespace, name: metadata.name }).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
  }
  return undefined;
}
