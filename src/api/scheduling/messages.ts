/** Field tables of scheduling/v1; the notation is explained in ../meta/message.ts. */
export const messages = `
package scheduling.v1

PriorityClass -- A name for a priority that pods can ask for.
  1 metadata meta.ObjectMeta~ -- Name, labels and what else every object has.
  2 value int32! -- The priority; more is more important. Up to one thousand million. Cannot be changed.
  3 globalDefault bool -- Whether pods without a class get this one.
  4 description string -- When to use it, for people.
  5 preemptionPolicy string? enum=PreemptLowerPriority|Never -- Whether its pods may push others out.
`;
