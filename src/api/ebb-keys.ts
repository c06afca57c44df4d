/** Names of ebb's own that more than one room reads. */

/** On a pod that waits for a function, of no use to anybody without ebb. */
export const warmPoolLabel = "ebb.dev/warm-pool";

/** Role and RoleBinding in a namespace by which routers read the certificates of its Ingresses. */
export const certificateAccessName = "ebb-router-certificates";

/** Keeps pods of a function's Revision from being scheduled while a pod that waited may serve in their place. */
export const claimGate = "ebb.dev/claim";
