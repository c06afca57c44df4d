import type { HTTPIngressPath, HTTPIngressRuleValue, Ingress } from "../api/networking-internal/types.gen.ts";
import { type HeadChanges, makeHeadChanges } from "./proxy/head-changes.ts";
import { detached } from "./proxy/latin1.ts";
import { serviceTarget } from "./service-target.ts";

/** From where a listener's clients come: a `local` host is not answered on a `public` one; `peer`s are other routers. */
export type Reach = "public" | "local" | "any" | "peer";

/** One share of a path's traffic. */
export interface Split<Target> {
  readonly target: Target;
  /** Shares up to and including this one, percent. */
  readonly upTo: number;
  readonly changes: HeadChanges;
}

export interface PathRoute<Target> {
  /** Matched as a prefix of whole segments; `` and `/` match everything. */
  readonly path: string;
  /** Header names, lower case, and the exact values they must have. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly splits: readonly Split<Target>[];
  /** The host this path is an alias of (DomainMapping): its routes are followed when it has some. */
  readonly aliasOf: string | undefined;
}

/** Where the requests of one host go. Never changed once made: a change of the host makes another. */
export interface HostRoute<Target> {
  readonly local: boolean;
  /** Requests that came without TLS are sent to https. */
  readonly redirected: boolean;
  /** Most specific first: header matches, then longer paths. */
  readonly paths: readonly PathRoute<Target>[];
}

/** What of a request decides where it goes. */
export interface Asking {
  readonly host: string;
  readonly target: string;
  header(name: string): string | undefined;
}

export interface Match<Target> {
  readonly target: Target;
  readonly changes: HeadChanges;
}

/** What an Ingress says about one host. */
interface Claim<Target> {
  readonly ingress: string;
  /** Creation time, then name: the older Ingress keeps a host that two name. */
  readonly rank: string;
  readonly route: HostRoute<Target>;
}

interface Compiled<Target> {
  readonly source: Ingress;
  readonly hosts: readonly (readonly [name: string, route: HostRoute<Target>])[];
}

/** Names the platform adds for its own hops upstream; here the next hop is the app. */
const hopHeaders: ReadonlySet<string> = new Set(["knative-serving-revision", "knative-serving-namespace"]);

/** Raw Host values remembered with their routes. */
const cachedHosts = 4096;

/**
 * Hosts → routes, from Ingress objects (networking.internal.knative.dev). Applying one touches only the hosts it names
 * or named, in one turn: no request ever sees half of a change, and ten thousand routes cost nothing per change.
 */
export class RouteTable<Target> {
  readonly #resolve: (revision: string) => Target;
  readonly #compiled = new Map<string, Compiled<Target>>();
  /** The claim that counts, of each host. */
  readonly #live = new Map<string, Claim<Target>>();
  /** All claims, the one that counts first, of the few hosts that have several. */
  readonly #contested = new Map<string, readonly Claim<Target>[]>();
  /** Ingresses whose hosts are to be asked by https. */
  readonly #redirecting = new Set<string>();
  readonly #byRawHost = new Map<string, HostRoute<Target>>();

  /**
   * `resolve` gives what stands for a revision (`namespace/name`) or a core Service (`serviceTarget`); it is asked once
   * per split of an applied Ingress.
   */
  constructor(resolve: (revision: string) => Target) {
    this.#resolve = resolve;
  }

  get hostCount(): number {
    return this.#live.size;
  }

  hasIngress(key: string): boolean {
    return this.#compiled.has(key);
  }

  /** The targets an Ingress routes to now. */
  targetsOf(key: string): ReadonlySet<Target> {
    const { hosts = [] } = this.#compiled.get(key) ?? {};
    return new Set(
      hosts.flatMap(([, route]) => route.paths.flatMap((path) => path.splits.map((split) => split.target))),
    );
  }

  /** Puts an Ingress in place of what was there under its key (`namespace/name`); undefined removes it. */
  apply(key: string, ingress: Ingress | undefined): void {
    const before = this.#compiled.get(key);
    if (before?.source === ingress) return;
    const after = ingress === undefined ? undefined : { source: ingress, hosts: this.#compile(ingress) };
    if (after === undefined) this.#compiled.delete(key);
    else this.#compiled.set(key, after);
    if (ingress?.spec.httpOption === "Redirected") this.#redirecting.add(key);
    else this.#redirecting.delete(key);
    const rank = ingress === undefined ? "" : `${ingress.metadata.creationTimestamp ?? ""} ${key}`;
    for (const [host] of before?.hosts ?? []) this.#unclaim(host, key);
    for (const [host, route] of after?.hosts ?? []) this.#claim(host, { ingress: key, rank, route });
    this.#byRawHost.clear();
  }

  #claim(host: string, claim: Claim<Target>): void {
    const first = this.#live.get(host);
    if (first === undefined) {
      this.#live.set(host, claim);
      return;
    }
    const claims = [...(this.#contested.get(host) ?? [first]), claim].sort((a, b) => (a.rank < b.rank ? -1 : 1));
    this.#contested.set(host, claims);
    this.#live.set(host, claims[0] ?? claim);
  }

  #unclaim(host: string, ingress: string): void {
    const first = this.#live.get(host);
    const left = (this.#contested.get(host) ?? [first]).filter((claim) => claim?.ingress !== ingress);
    if (left[0] === undefined) this.#live.delete(host);
    else this.#live.set(host, left[0]);
    if (left.length < 2) this.#contested.delete(host);
    else this.#contested.set(host, left as Claim<Target>[]);
  }

  #compile(ingress: Ingress): Compiled<Target>["hosts"] {
    const hosts = new Map<string, HostRoute<Target>>();
    for (const rule of ingress.spec.rules ?? []) {
      const local = rule.visibility === "ClusterLocal";
      const redirected = !local && ingress.spec.httpOption === "Redirected";
      const route: HostRoute<Target> = { local, redirected, paths: this.#paths(rule.http) };
      for (const host of rule.hosts ?? []) {
        const name = normalHost(host);
        const known = hosts.get(name);
        hosts.set(name, known === undefined ? route : mergeRoutes(known, route));
      }
    }
    return [...hosts];
  }

  #paths(http: HTTPIngressRuleValue | undefined): readonly PathRoute<Target>[] {
    return (http?.paths ?? []).map((path) => this.#path(path)).sort(bySpecificity);
  }

  #path(path: HTTPIngressPath): PathRoute<Target> {
    let upTo = 0;
    return {
      path: path.path ?? "",
      headers: Object.entries(path.headers ?? {}).map(([name, match]) => [name.toLowerCase(), match.exact ?? ""]),
      aliasOf: path.rewriteHost === undefined ? undefined : normalHost(path.rewriteHost),
      splits: path.splits.map((split) => {
        upTo += path.splits.length === 1 ? 100 : (split.percent ?? 0);
        const added = { ...path.appendHeaders, ...split.appendHeaders };
        const headers = Object.entries(added).filter(([name]) => !hopHeaders.has(name.toLowerCase()));
        return {
          // Under a host of another route the split is only followed when that has none: the Service is no Revision's.
          target: this.#resolve(
            path.rewriteHost === undefined
              ? `${split.serviceNamespace}/${split.serviceName}`
              : serviceTarget(split.serviceNamespace, split.serviceName),
          ),
          upTo,
          changes: makeHeadChanges(Object.fromEntries(headers), path.rewriteHost),
        };
      }),
    };
  }

  /** The route of a host as a client spells it: any case, with or without port, perhaps with a final dot. */
  host(raw: string): HostRoute<Target> | undefined {
    const cached = this.#byRawHost.get(raw);
    if (cached !== undefined) return cached;
    const route = this.#live.get(normalHost(raw))?.route;
    if (route !== undefined) {
      if (this.#byRawHost.size >= cachedHosts) this.#byRawHost.clear();
      // A copy: the host given is a slice that would keep its whole request head alive.
      this.#byRawHost.set(detached(raw), route);
    }
    return route;
  }

  /**
   * A request that came without TLS is to be sent to https. Not what proves to an issuer of certificates whose the host
   * is (RFC 8555 §8.3): there may be no certificate yet.
   */
  redirects(asking: Asking): boolean {
    if (this.#redirecting.size === 0 || asking.target.startsWith("/.well-known/acme-challenge/")) return false;
    return this.host(asking.host)?.redirected ?? false;
  }

  /** Where this request goes; undefined when nothing here answers to its host and path. `random`: 0 ≤ n < 1. */
  match(asking: Asking, reach: Reach, random: () => number): Match<Target> | undefined {
    const route = this.host(asking.host);
    if (route === undefined || (route.local && reach === "public")) return undefined;
    const path = findPath(route, asking);
    if (path === undefined) return undefined;
    if (path.aliasOf === undefined) return chooseSplit(path.splits, random);
    return this.#throughAlias(path, path.aliasOf, asking, random);
  }

  /** A mapped domain is answered by the host it maps to, even a local one; its own changes are added to that one's. */
  #throughAlias(
    path: PathRoute<Target>,
    alias: string,
    asking: Asking,
    random: () => number,
  ): Match<Target> | undefined {
    const own = chooseSplit(path.splits, random);
    const behind = this.#live.get(alias)?.route;
    const behindPath = behind === undefined ? undefined : findPath(behind, asking);
    if (behindPath === undefined || behindPath.aliasOf !== undefined) return own;
    const chosen = chooseSplit(behindPath.splits, random);
    if (chosen === undefined || own === undefined) return own;
    const changes = makeHeadChanges(
      { ...Object.fromEntries(chosen.changes.pairs), ...Object.fromEntries(own.changes.pairs) },
      own.changes.host,
    );
    return { target: chosen.target, changes };
  }
}

/** Lower case, without port and final dot. */
export function normalHost(raw: string): string {
  let host = raw.toLowerCase();
  const colon = host.lastIndexOf(":");
  if (colon >= 0 && !host.endsWith("]")) host = host.slice(0, colon);
  return host.endsWith(".") ? host.slice(0, -1) : host;
}

function mergeRoutes<Target>(a: HostRoute<Target>, b: HostRoute<Target>): HostRoute<Target> {
  const redirected = a.redirected && b.redirected;
  return { local: a.local && b.local, redirected, paths: [...a.paths, ...b.paths].sort(bySpecificity) };
}

function bySpecificity<Target>(a: PathRoute<Target>, b: PathRoute<Target>): number {
  return b.headers.length - a.headers.length || b.path.length - a.path.length;
}

function findPath<Target>(route: HostRoute<Target>, asking: Asking): PathRoute<Target> | undefined {
  for (const path of route.paths) {
    if (path.path !== "" && path.path !== "/" && !isUnder(asking.target, path.path)) continue;
    if (path.headers.every(([name, value]) => asking.header(name) === value)) return path;
  }
  return undefined;
}

/** `/a` covers `/a`, `/a/b` and `/a?c`, not `/ab`. */
function isUnder(target: string, path: string): boolean {
  if (!target.startsWith(path)) return false;
  const next = target[path.length];
  return path.endsWith("/") || next === undefined || next === "/" || next === "?";
}

function chooseSplit<Target>(splits: readonly Split<Target>[], random: () => number): Split<Target> | undefined {
  if (splits.length === 1) return splits[0];
  const total = splits.at(-1)?.upTo ?? 0;
  const drawn = random() * total;
  return splits.find((split) => drawn < split.upTo);
}
