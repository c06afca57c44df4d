/** What `ebb rollback` leaves on a Service, so that the next `ebb deploy` knows the pinned traffic for a rollback's. */
const annotation = "dev.ebb/rolled-back-to";

export const rolledBack = {
  annotation,
  /** Merge patch that sends all traffic to a revision. */
  to: (revision: string) => ({
    metadata: { annotations: { [annotation]: revision } },
    spec: { traffic: [{ revisionName: revision, percent: 100, latestRevision: false }] },
  }),
  /** Merge patch that sends all traffic to the newest ready revision. */
  undone: {
    metadata: { annotations: { [annotation]: null } },
    spec: { traffic: [{ latestRevision: true, percent: 100 }] },
  },
} as const;
