/** Services and pods by each other, over one label pair of the selector: no scan of all Services per pod change. */
import { PodKind, ServiceKind } from "../../api/core/kinds.ts";
import type { Pod, Service } from "../../api/core/types.gen.ts";
import { keyOf } from "../../api/meta/object.ts";
import type { Informers } from "../../client/informer.ts";

const bySelectorPair = "selector-pair";
const byLabel = "namespace-label";

type Labels = Readonly<Record<string, string>>;

const pair = (namespace: string | undefined, key: string, value: string): string => `${namespace} ${key}=${value}`;

/** The pair of a selector that stands for it in the index: the last by name, which is seldom the common `app`. */
function indexPair(selector: Labels): readonly [string, string] | undefined {
  return Object.entries(selector).sort(([a], [b]) => (a < b ? 1 : -1))[0];
}

const selects = (selector: Labels, labels: Labels): boolean =>
  Object.entries(selector).every(([key, value]) => labels[key] === value);

/** Keys of the Services that select a pod, or did before it changed. */
export function selectingServices(informers: Informers): (pod: Pod, old: Pod | undefined) => readonly string[] {
  const services = informers.of(ServiceKind);
  services.addIndex(bySelectorPair, ({ metadata, spec }) => {
    const found = indexPair(spec?.selector ?? {});
    return found ? [pair(metadata.namespace, ...found)] : [];
  });
  const keysOf = ({ metadata }: Pod): readonly string[] => {
    const labels = metadata.labels ?? {};
    return Object.entries(labels)
      .flatMap(([key, value]) => services.byIndex(bySelectorPair, pair(metadata.namespace, key, value)))
      .filter(({ spec }) => selects(spec?.selector ?? {}, labels))
      .map((service) => keyOf(service.metadata));
  };
  return (pod, old) => {
    if (!old || old.metadata.labels === pod.metadata.labels) return keysOf(pod);
    return [...new Set([...keysOf(pod), ...keysOf(old)])];
  };
}

/** Pods a Service selects; none without a selector. */
export function selectedPods(informers: Informers): (service: Service) => readonly Pod[] {
  const pods = informers.of(PodKind);
  pods.addIndex(byLabel, ({ metadata }) =>
    Object.entries(metadata.labels ?? {}).map(([key, value]) => pair(metadata.namespace, key, value)),
  );
  return ({ metadata, spec }) => {
    const selector = spec?.selector ?? {};
    const found = indexPair(selector);
    if (!found) return [];
    return pods
      .byIndex(byLabel, pair(metadata.namespace, ...found))
      .filter((pod) => selects(selector, pod.metadata.labels ?? {}));
  };
}
