/** Labels of ebb's own that more than one room reads. */

/** On a pod that waits for a function, of no use to anybody without ebb. */
export const warmPoolLabel = "ebb.dev/warm-pool";
