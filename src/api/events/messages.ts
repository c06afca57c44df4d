/** Field tables of events/v1; the notation is explained in ../meta/message.ts. */
export const messages = `
package events.v1

Event -- Something that happened to an object, kept for about an hour. Do not build on its reasons.
  1 metadata meta.ObjectMeta~ -- Name and namespace; the namespace of the object it is about.
  2 eventTime MicroTime -- When it was first seen.
  3 series EventSeries -- How it goes on, if it keeps happening.
  4 reportingController string -- The controller that reported it.
  5 reportingInstance string -- Which one of several such controllers.
  6 action string -- What was done about the object.
  7 reason string -- What happened, in one word.
  8 regarding core.v1.ObjectReference -- The object it is about.
  9 related core.v1.ObjectReference -- A second object that has to do with it.
  10 note string -- What happened, for people.
  11 type string enum=Normal|Warning -- Whether it is a matter of course.
  12 deprecatedSource core.v1.EventSource
  13 deprecatedFirstTimestamp Time
  14 deprecatedLastTimestamp Time
  15 deprecatedCount int32

EventSeries
  1 count int32 -- How often it was seen.
  2 lastObservedTime MicroTime -- When it was last seen.
`;
