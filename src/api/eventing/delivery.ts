/** spec.delivery: checks (eventing pkg/apis/duck/v1/delivery_types.go) and what the engine makes of it. */
import type { Mutable } from "../meta/object.ts";
import { disallowedField, invalidValue, within, type Problems } from "../serving/problems.ts";
import { checkOptionalDestination, defaultDestination } from "./destination.ts";
import type { DeliveryOptions } from "./engine.ts";
import type { EventingFeatures } from "./features.ts";
import { parseIsoDuration } from "./iso-duration.ts";
import type { DeliverySpec } from "./types-duck.gen.ts";

export function defaultDelivery(delivery: Mutable<DeliverySpec> | undefined, namespace: string | undefined): void {
  defaultDestination(delivery?.deadLetterSink, namespace);
}

export function checkDelivery(
  delivery: DeliverySpec | undefined,
  features: EventingFeatures,
  parent?: string,
): Problems {
  if (!delivery) return [];
  const { retry, timeout, backoffPolicy, backoffDelay, retryAfterMax, format } = delivery;
  return [
    ...within("deadLetterSink", checkOptionalDestination(delivery.deadLetterSink, parent)),
    ...(retry !== undefined && retry < 0 ? [invalidValue(retry, "retry")] : []),
    ...checkWord("backoffPolicy", backoffPolicy, ["linear", "exponential"]),
    ...checkWord("format", format, ["json", "binary"]),
    ...checkDuration("timeout", timeout, { isAllowed: features.deliveryTimeout, isGood: (ms) => ms > 0 }),
    ...checkDuration("backoffDelay", backoffDelay, { isAllowed: true, isGood: (ms) => ms >= 0 }),
    ...checkDuration("retryAfterMax", retryAfterMax, {
      isAllowed: features.deliveryRetryAfter,
      isGood: (ms) => ms >= 0,
    }),
  ];
}

const checkWord = (field: string, word: string | undefined, words: readonly string[]): Problems =>
  word === undefined || words.includes(word) ? [] : [invalidValue(word, field)];

interface DurationRule {
  readonly isAllowed: boolean;
  readonly isGood: (ms: number) => boolean;
}

function checkDuration(field: string, text: string | undefined, { isAllowed, isGood }: DurationRule): Problems {
  if (text === undefined) return [];
  if (!isAllowed) return [disallowedField(field)];
  const ms = parseIsoDuration(text);
  return ms !== undefined && isGood(ms) ? [] : [invalidValue(text, field)];
}

/** Parsed; what is no duration counts as absent, which admission does not let happen. */
export function deliveryOptions(delivery: DeliverySpec | undefined): DeliveryOptions {
  if (!delivery) return {};
  const { retry, backoffPolicy, format } = delivery;
  const ms = (text: string | undefined): number | undefined =>
    text === undefined ? undefined : parseIsoDuration(text);
  const [backoffDelayMs, timeoutMs] = [ms(delivery.backoffDelay), ms(delivery.timeout)];
  const retryAfterMaxMs = ms(delivery.retryAfterMax);
  return {
    ...(retry === undefined ? {} : { retry }),
    ...(backoffPolicy === "linear" || backoffPolicy === "exponential" ? { backoffPolicy } : {}),
    ...(backoffDelayMs === undefined ? {} : { backoffDelayMs }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(retryAfterMaxMs === undefined ? {} : { retryAfterMaxMs }),
    ...(format === "json" || format === "binary" ? { format } : {}),
  };
}
