/** Label on what belongs to a function beside its Service, with the function's name. */
export const functionLabel = "dev.ebb.function";

export interface Schedule {
  readonly name: string;
  readonly namespace: string;
  /** Cron's five fields, six with seconds in front, or `@hourly` and the like. */
  readonly schedule: string;
  /** IANA name; UTC without. */
  readonly timezone?: string;
  /** What becomes of times at which nothing ran: left out, or the last one made up for. */
  readonly missedRuns: "skip" | "latest";
  /** The Service; the schedule goes with it. */
  readonly owner: { readonly uid: string };
}

/** A PingSource that calls a function: one event per time, an empty JSON object. */
export function makeSchedule({
  name,
  namespace,
  schedule,
  timezone,
  missedRuns,
  owner,
}: Schedule): Readonly<Record<string, unknown>> {
  const service = { apiVersion: "serving.knative.dev/v1", kind: "Service", name };
  return {
    apiVersion: "sources.knative.dev/v1",
    kind: "PingSource",
    metadata: {
      name,
      namespace,
      labels: { [functionLabel]: name },
      ...(missedRuns === "latest" ? { annotations: { "events.ebb.dev/missed-runs": missedRuns } } : {}),
      ownerReferences: [{ ...service, uid: owner.uid }],
    },
    spec: {
      schedule,
      ...(timezone === undefined ? {} : { timezone }),
      contentType: "application/json",
      data: "{}",
      sink: { ref: { ...service, namespace } },
    },
  };
}
