/** RequestReply as the API server serves it (eventing pkg/apis/eventing/v1alpha1/requestreply_{defaults,validation}.go). */
import { nameColumn } from "../meta/columns.ts";
import type { Column, KindDefinition } from "../meta/definition.ts";
import { readyColumns } from "../serving/columns.ts";
import { fillStructs } from "../serving/go-structs.ts";
import { disallowedField, invalidValue, toFieldErrors, within, type Problems } from "../serving/problems.ts";
import { stampUser } from "../serving/user-info.ts";
import { schemaOf } from "../schemas.ts";
import { addressColumn, eventingKindFacts } from "./columns.ts";
import { checkDelivery, defaultDelivery } from "./delivery.ts";
import { checkReference } from "./destination.ts";
import { featuresOf } from "./features.ts";
import { parseIsoDuration } from "./iso-duration.ts";
import { eventingKeys } from "./keys.ts";
import { RequestReplyKind } from "./kinds.ts";
import type { RequestReply } from "./types.gen.ts";

export const requestReplyDefinition: KindDefinition<RequestReply> = {
  ...eventingKindFacts,
  kind: RequestReplyKind,
  schema: () => schemaOf("eventing.v1.RequestReply"),
  columns: [nameColumn, addressColumn, ...(readyColumns as readonly Column[])],
  prepare: (requestReply, old, context) => {
    fillStructs(requestReply, "spec.brokerRef");
    const { metadata, spec } = requestReply;
    spec.timeout ||= featuresOf(context).requestReplyTimeout;
    spec.correlationAttribute ||= "correlationid";
    spec.replyAttribute ||= "replyid";
    defaultDelivery(spec.delivery, metadata.namespace);
    if (spec.brokerRef.name) metadata.labels = { ...metadata.labels, [eventingKeys.broker]: spec.brokerRef.name };
    stampUser<RequestReply>(requestReply, old, { ...context, group: RequestReplyKind.group });
  },
  validate: ({ spec, metadata }, _old, context) => {
    const { brokerRef, timeout = "" } = spec;
    const kind = brokerRef.kind ?? "";
    const ms = parseIsoDuration(timeout);
    return toFieldErrors([
      ...within("spec.brokerRef", checkReference(brokerRef, metadata.namespace)),
      ...(kind.toLowerCase() === "broker"
        ? []
        : [invalidValue(kind, "spec.brokerRef.kind", "brokerRef kind must be Broker")]),
      ...(brokerRef.namespace ? [disallowedField("spec.brokerRef.namespace")] : []),
      ...within("spec.delivery", checkDelivery(spec.delivery, featuresOf(context), metadata.namespace)),
      ...(ms === undefined
        ? [invalidValue(timeout, "spec.timeout", "expected an ISO 8601 duration such as PT30S")]
        : []),
      ...(ms !== undefined && ms <= 0
        ? [invalidValue(timeout, "spec.timeout", "timeout must be a positive duration")]
        : []),
      ...checkAttribute(spec.correlationAttribute, "correlationattribute"),
      ...checkAttribute(spec.replyAttribute, "replyattribute"),
    ]);
  },
};

const coreAttributes: ReadonlySet<string> = new Set(["id", "source", "specversion", "type"]);

function checkAttribute(name: string | undefined, field: string): Problems {
  if (name && !coreAttributes.has(name))
    return /^[a-z0-9]+$/.test(name)
      ? []
      : [invalidValue(name, `spec.${field}`, `${field} can only contain lowercase alphanumeric`)];
  const rule = `${field} must be non-empty and cannot be a core cloudevent attribute (id, type, specversion, source)`;
  return [invalidValue(name ?? "", `spec.${field}`, rule)];
}
