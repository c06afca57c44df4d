/** Field tables of coordination/v1; the notation is explained in ../meta/message.ts. */
export const messages = `
package coordination.v1

Lease -- A claim that its holder renews; others may take it when it has run out.
  1 metadata meta.ObjectMeta~ -- Name, namespace, labels and what else every object has.
  2 spec LeaseSpec~ -- Who holds it, and until when.

LeaseSpec
  1 holderIdentity string? -- Who holds it.
  2 leaseDurationSeconds int32? -- Seconds after the last renewal when others may take it.
  3 acquireTime MicroTime -- When the holder took it.
  4 renewTime MicroTime -- When the holder last renewed it.
  5 leaseTransitions int32? -- How often the holder changed.
  6 strategy string? -- How a holder is chosen, if a coordinator does it.
  7 preferredHolder string? -- Who should have it next.
`;
