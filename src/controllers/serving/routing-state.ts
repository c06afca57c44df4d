/**
 * Which Revisions take part in routing, as a pure function (pkg/reconciler/labeler). A Revision starts `pending`, is
 * `active` while any Route refers to it and `reserve` afterwards.
 */
import { isFailed, isReady } from "../../api/serving/conditions.ts";
import { servingKeys as keys } from "../../api/serving/keys.ts";
import { formatTime } from "../../api/meta/time.ts";
import type { ObjectMeta } from "../../api/meta/types.gen.ts";
import type { Route } from "../../api/serving/types.gen.ts";

export interface RoutingFacts {
  readonly metadata: ObjectMeta;
  /** Routes that refer to the object now. */
  readonly referring: readonly Route[];
  /** A Route of the namespace by name. */
  readonly route: (name: string) => Route | undefined;
}

/** Names in the routes annotation, in order. */
export const routeNamesOf = ({ annotations }: ObjectMeta): readonly string[] =>
  annotations?.[keys.routes]?.split(",").filter(Boolean) ?? [];

/**
 * Names the object should carry: the Routes that refer to it, and those that did and have not yet settled (Ready or
 * failed), since until then they may still send it requests.
 */
function wantedRoutes({ metadata, referring, route }: RoutingFacts): readonly string[] {
  const now = referring.map((one) => one.metadata.name);
  const leaving = routeNamesOf(metadata).filter((name) => {
    const known = route(name);
    return known !== undefined && !now.includes(name) && !isReady(known) && !isFailed(known);
  });
  return [...new Set([...now, ...leaving])].sort();
}

export interface MetadataPatch {
  readonly labels?: Readonly<Record<string, string | null>>;
  readonly annotations?: Readonly<Record<string, string | null>>;
}

/** The merge patch that brings a Revision's routing state up to date, or undefined. `nowMs` stamps a changed state. */
export function routingPatch(facts: RoutingFacts, nowMs: number): MetadataPatch | undefined {
  const { metadata } = facts;
  const wanted = wantedRoutes(facts);
  const has = routeNamesOf(metadata);
  const before = metadata.labels?.[keys.routingState] ?? "pending";
  // Never referred to so far: it waits for its first Route.
  if (wanted.length === 0 && has.length === 0 && before === "pending") return undefined;
  const state = wanted.length > 0 ? "active" : "reserve";
  const sameRoutes = wanted.join(",") === has.join(",");
  if (sameRoutes && state === before) return undefined;
  return {
    annotations: {
      ...(sameRoutes ? {} : { [keys.routes]: wanted.length === 0 ? null : wanted.join(",") }),
      ...(state === before ? {} : { [keys.routingStateModified]: formatTime(nowMs) }),
    },
    ...(state === before ? {} : { labels: { [keys.routingState]: state } }),
  };
}

/** The same for a Configuration, which has no state; its Service's Route is the Service controller's to name. */
export function configurationPatch(facts: RoutingFacts): MetadataPatch | undefined {
  const { metadata } = facts;
  const service = metadata.labels?.[keys.service];
  const has = routeNamesOf(metadata);
  const wanted = [...new Set([...wantedRoutes(facts), ...has.filter((name) => name === service)])].sort();
  if (wanted.join(",") === has.join(",")) return undefined;
  return { annotations: { [keys.routes]: wanted.length === 0 ? null : wanted.join(",") } };
}
