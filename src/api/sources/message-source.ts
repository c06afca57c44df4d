/** What sources that read a queue, a topic or the like have in common as kinds. */
import { checkDelivery, defaultDelivery } from "../eventing/delivery.ts";
import { checkDestination, checkSourceSpec, defaultDestination } from "../eventing/destination.ts";
import { featuresOf } from "../eventing/features.ts";
import type { DeliverySpec, SourceSpec } from "../eventing/types-duck.gen.ts";
import type { KindDefinition } from "../meta/definition.ts";
import type { Kind } from "../meta/kind.ts";
import type { KubeObject, Mutable } from "../meta/object.ts";
import { fillStructs } from "../serving/go-structs.ts";
import { missingField, toFieldErrors, within, type Problems } from "../serving/problems.ts";
import { stampUser } from "../serving/user-info.ts";
import type { SecretValueFromSource } from "./types.gen.ts";

interface MessageSource extends KubeObject {
  readonly spec: SourceSpec & { readonly delivery?: DeliverySpec };
}

interface Rules<T extends MessageSource> {
  /** Puts in defaults. */
  fill?(spec: Mutable<T["spec"]>, source: T): void;
  /** Checks what is the kind's own; paths are relative to the spec. */
  check(spec: T["spec"], old: T["spec"] | undefined, namespace: string | undefined): Problems;
}

/** Defaults and checks of a kind: sink, delivery and ceOverrides beside its own. */
export function messageSourceRules<T extends MessageSource>(
  kind: Kind<T>,
  { fill, check }: Rules<T>,
): Pick<KindDefinition<T>, "prepare" | "validate"> {
  return {
    prepare: (source, old, context) => {
      fillStructs(source, "spec.sink");
      const spec = source.spec as Mutable<MessageSource["spec"]>;
      fill?.(spec as Mutable<T["spec"]>, source as unknown as T);
      defaultDestination(spec.sink, source.metadata.namespace);
      defaultDelivery(spec.delivery, source.metadata.namespace);
      stampUser<T>(source, old, { ...context, group: kind.group });
    },
    validate: ({ metadata, spec }, old, context) =>
      toFieldErrors(
        within("spec", [
          ...check(spec, old?.spec, metadata.namespace),
          ...within("sink", checkDestination(spec.sink)),
          ...within("delivery", checkDelivery(spec.delivery, featuresOf(context))),
          ...checkSourceSpec(spec),
        ]),
      ),
  };
}

/** A value that is there must say which key of which Secret. */
export function checkSecretValue(path: string, value: SecretValueFromSource | undefined): Problems {
  if (!value) return [];
  const { secretKeyRef } = value;
  if (!secretKeyRef) return [missingField(`${path}.secretKeyRef`)];
  return [
    ...(secretKeyRef.name ? [] : [missingField(`${path}.secretKeyRef.name`)]),
    ...(secretKeyRef.key ? [] : [missingField(`${path}.secretKeyRef.key`)]),
  ];
}
