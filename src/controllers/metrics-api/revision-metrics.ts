/** What ebb tells of revisions' load, and of which objects: the numbers behind the metrics APIs. */
import { PodKind } from "../../api/core/kinds.ts";
import type { Pod } from "../../api/core/types.gen.ts";
import { apiVersionOf, resourceOf, type Kind } from "../../api/meta/kind.ts";
import { matchesLabels, parseLabelSelector } from "../../api/meta/label-selector.ts";
import { keyOf, type KubeObject } from "../../api/meta/object.ts";
import { servingKeys } from "../../api/serving/keys.ts";
import { ConfigurationKind, KnativeServiceKind, RevisionKind } from "../../api/serving/kinds.ts";
import type { Revision } from "../../api/serving/types.gen.ts";
import type { Informers } from "../../client/informer.ts";
import type { RevisionLoad } from "../../scaling/load-book.ts";
import { isPodReady } from "../pod-facts.ts";

export interface RevisionMetricsDeps {
  readonly informers: Informers;
  /** Load of the revision `namespace/name`. */
  readonly loadOf: (revision: string) => RevisionLoad;
}

/** Names of the metrics, and what they are of a revision. */
const metrics: Readonly<Record<string, (load: RevisionLoad) => number>> = {
  concurrency: ({ concurrency }) => concurrency,
  rps: ({ rps }) => rps,
  queue_length: ({ queued }) => queued,
};

export const metricNames: readonly string[] = Object.keys(metrics);

/** A metric's value of one revision. */
export interface Series {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A metric's value of one object. */
export interface ObjectValue {
  readonly object: {
    readonly kind: string;
    readonly apiVersion: string;
    readonly namespace?: string;
    readonly name: string;
  };
  readonly value: number;
}

export interface ObjectQuery {
  readonly namespace: string;
  /** `pods`, `services.serving.knative.dev`. */
  readonly resource: string;
  /** `*`: all that the selector matches. */
  readonly name: string;
  readonly selector: string;
  readonly metric: string;
}

export interface RevisionMetrics {
  /** Undefined for a metric there is not. Throws 400 for a selector that cannot be read. */
  external(namespace: string, metric: string, selector: string): readonly Series[] | undefined;
  /** Undefined for a metric there is not of such a resource; without an object of that name, none. */
  ofObjects(query: ObjectQuery): readonly ObjectValue[] | undefined;
}

/** By which label a revision belongs to an object of this kind. */
const owners: ReadonlyMap<string, { readonly kind: Kind; readonly label: string }> = new Map([
  [resourceOf(KnativeServiceKind), { kind: KnativeServiceKind as Kind, label: servingKeys.service }],
  [resourceOf(ConfigurationKind), { kind: ConfigurationKind as Kind, label: servingKeys.configuration }],
]);

/** Resources of which there are metrics; a namespace's own are the sums over what is in it. */
export const measuredResources: readonly string[] = [resourceOf(PodKind), resourceOf(RevisionKind), ...owners.keys()];

const seriesLabels = [servingKeys.service, servingKeys.configuration, servingKeys.revision];

export function createRevisionMetrics({ informers, loadOf }: RevisionMetricsDeps): RevisionMetrics {
  const revisions = informers.of(RevisionKind);
  const pods = informers.of(PodKind);
  for (const { kind } of owners.values()) informers.of(kind);

  const valueOf = (revision: Revision, metric: string): number =>
    metrics[metric]?.(loadOf(keyOf(revision.metadata))) ?? 0;

  /** Its share of its revision's load: routers spread requests evenly. */
  const ofPod = (pod: Pod, metric: string): ObjectValue[] => {
    const { namespace = "", labels } = pod.metadata;
    const revision = revisions.get(`${namespace}/${labels?.[servingKeys.revision]}`);
    if (!revision || !isPodReady(pod)) return [];
    const name = revision.metadata.name;
    const ready = pods
      .list(namespace)
      .filter((other) => other.metadata.labels?.[servingKeys.revision] === name && isPodReady(other)).length;
    return [{ object: referenceTo(PodKind, pod), value: valueOf(revision, metric) / ready }];
  };

  const ofOwner = (
    owner: KubeObject,
    { kind, label }: { readonly kind: Kind; readonly label: string },
    metric: string,
  ): ObjectValue => {
    const { namespace, name } = owner.metadata;
    const mine = revisions.list(namespace).filter(({ metadata }) => metadata.labels?.[label] === name);
    return { object: referenceTo(kind, owner), value: mine.reduce((sum, one) => sum + valueOf(one, metric), 0) };
  };

  return {
    external(namespace, metric, selector) {
      if (!Object.hasOwn(metrics, metric)) return undefined;
      const requirements = parseLabelSelector(selector);
      return revisions
        .list(namespace)
        .filter(({ metadata }) => matchesLabels(requirements, metadata.labels ?? {}))
        .map((revision) => ({ labels: labelsOf(revision), value: valueOf(revision, metric) }));
    },
    ofObjects({ namespace, resource, name, selector, metric }) {
      if (!Object.hasOwn(metrics, metric)) return undefined;
      const requirements = parseLabelSelector(selector);
      const chosen = <T extends KubeObject>(kind: Kind<T>): readonly T[] =>
        informers
          .of(kind)
          .list(namespace)
          .filter(({ metadata }) =>
            name === "*" ? matchesLabels(requirements, metadata.labels ?? {}) : metadata.name === name,
          );
      if (resource === resourceOf(PodKind)) return chosen(PodKind).flatMap((pod) => ofPod(pod, metric));
      if (resource === resourceOf(RevisionKind))
        return chosen(RevisionKind).map((one) => ({
          object: referenceTo(RevisionKind, one),
          value: valueOf(one, metric),
        }));
      const owner = owners.get(resource);
      return owner && chosen(owner.kind).map((one) => ofOwner(one, owner, metric));
    },
  };
}

/** Those that say what a revision belongs to, its own name among them. */
function labelsOf({ metadata }: Revision): Readonly<Record<string, string>> {
  const labels: Record<string, string> = {};
  for (const label of seriesLabels) {
    const value = metadata.labels?.[label] ?? (label === servingKeys.revision ? metadata.name : undefined);
    if (value !== undefined) labels[label] = value;
  }
  return labels;
}

function referenceTo(kind: Kind, { metadata }: KubeObject): ObjectValue["object"] {
  const { namespace, name } = metadata;
  return { kind: kind.kind, apiVersion: apiVersionOf(kind), name, ...(namespace === undefined ? {} : { namespace }) };
}
