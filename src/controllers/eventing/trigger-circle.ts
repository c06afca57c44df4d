/** Triggers that hand every event on to a Broker whose Triggers hand it back. */
import { brokerNameOf, brokerNamespaceOf } from "../../api/eventing/trigger-definition.ts";
import { BrokerKind } from "../../api/eventing/kinds.ts";
import type { Trigger } from "../../api/eventing/types.gen.ts";

const sourceOf = (trigger: Trigger): string => `${brokerNamespaceOf(trigger)}/${brokerNameOf(trigger)}`;

/** The Broker that a Trigger without any filter hands everything to. */
function handsAllTo({ metadata, spec }: Trigger): string | undefined {
  const { ref } = spec.subscriber;
  const filtered = (spec.filters ?? []).length > 0 || Object.keys(spec.filter?.attributes ?? {}).length > 0;
  const isBroker = ref?.kind === BrokerKind.kind && ref.apiVersion?.startsWith(`${BrokerKind.group}/`);
  return isBroker && !filtered ? `${ref.namespace || metadata.namespace}/${ref.name}` : undefined;
}

/** Names of the Triggers of a circle that starts and ends with `first`; empty when there is none. */
export function findCircle(first: Trigger, all: readonly Trigger[]): readonly string[] {
  const start = sourceOf(first);
  const nameOf = ({ metadata }: Trigger): string => `${metadata.namespace}/${metadata.name}`;
  const seen = new Set<string>();
  const walk = (trigger: Trigger, path: readonly string[]): readonly string[] => {
    const next = handsAllTo(trigger);
    if (next === undefined || seen.has(next)) return [];
    if (next === start) return [...path, nameOf(first)];
    seen.add(next);
    for (const other of all) {
      if (sourceOf(other) !== next) continue;
      const found = walk(other, [...path, nameOf(other)]);
      if (found.length > 0) return found;
    }
    return [];
  };
  return walk(first, [nameOf(first)]);
}
