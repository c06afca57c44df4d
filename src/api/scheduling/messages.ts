/** Field tables of scheduling/v1; the notation is explained in ../meta/message.ts. */
export const messages = `
package scheduling.v1

PriorityClass
  1 metadata meta.ObjectMeta~
  2 value int32!
  3 globalDefault bool
  4 description string
  5 preemptionPolicy string?
`;
