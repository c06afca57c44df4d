/**
 * The API group by which people ask for events themselves, beside the objects that `eventing.knative.dev` has: on a
 * cluster an aggregated API, since subresources of custom resources cannot be added to.
 */
export const eventsApi = { group: "events.ebb.dev", version: "v1alpha1" } as const;

export interface EventsApiResource {
  readonly name: string;
  /** For those who may look. */
  readonly reads: readonly "get"[];
  /** For those who may change what is there. */
  readonly writes: readonly ("create" | "delete")[];
}

/**
 * What is read of a Broker is called `log` as of pods: API servers end requests after a minute, but for those of
 * subresources with such names.
 */
export const eventsApiResources: readonly EventsApiResource[] = [
  { name: "brokers/log", reads: ["get"], writes: [] },
  { name: "brokers/events", reads: [], writes: ["create"] },
  { name: "triggers/replay", reads: [], writes: ["create"] },
  { name: "triggers/deadletters", reads: ["get"], writes: ["create", "delete"] },
  { name: "triggers/lag", reads: ["get"], writes: [] },
];

/** Of a Broker or Trigger. */
export const eventsApiPath = (namespace: string, plural: "brokers" | "triggers", name: string): string =>
  `/apis/${eventsApi.group}/${eventsApi.version}/namespaces/${encodeURIComponent(namespace)}/${plural}/${encodeURIComponent(name)}`;

/** Rules of a role for those who may look (`reads`), or for those who may change what is there too. */
export const eventsApiRules = (
  what: "reads" | "writes",
): readonly { readonly apiGroups: string[]; readonly resources: string[]; readonly verbs: string[] }[] =>
  eventsApiResources
    .filter((one) => one[what].length > 0)
    .map((one) => ({ apiGroups: [eventsApi.group], resources: [one.name], verbs: [...one[what]] }));
