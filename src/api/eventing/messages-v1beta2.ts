/** Field tables of EventType as it was in eventing.knative.dev/v1beta1 and v1beta2: attributes as fields. */
export const messages = `
package eventing.v1beta2

EventType -- Events that can be had from a Broker, Channel or source, for people and tools to find.
  1 metadata meta.ObjectMeta~ -- Name, namespace, labels and what else every object has.
  2 spec EventTypeSpec~ -- What is wanted.
  3 status knative.duck.v1.Status -- What is there, as last observed.

EventTypeSpec -- What the events look like.
  1 type string -- Their type.
  2 source string -- Their source.
  3 schema string -- Where their data is described.
  4 schemaData string -- The description itself.
  5 broker string -- The Broker that has them; reference in its place.
  6 reference knative.duck.v1.KReference -- Who has them.
  7 description string -- What they mean.
`;
