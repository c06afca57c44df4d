/** Parts of statuses that Eventing's kinds share. */
import type { EventTarget } from "../../api/eventing/engine.ts";
import type { DeliverySpec, DeliveryStatus } from "../../api/eventing/types-duck.gen.ts";
import type { KubeObject } from "../../api/meta/object.ts";
import { isFalse, isTrue, type Verdict } from "../../api/serving/conditions.ts";
import type { Addressable } from "../../api/serving/types.gen.ts";
import { resolveDestination, type Resolution } from "./addresses.ts";
import type { EventingDeps } from "./deps.ts";

export interface DeadLetterFacts {
  readonly verdict: Verdict;
  readonly target?: EventTarget;
  readonly status: DeliveryStatus;
  readonly retry: boolean;
}

/** Where the dead letter sink of a delivery is. */
export function deadLetterOf(
  deps: Pick<EventingDeps, "informers" | "served">,
  delivery: DeliverySpec | undefined,
  namespace: string,
): DeadLetterFacts {
  const sink = delivery?.deadLetterSink;
  if (!sink) return { verdict: notConfigured, status: {}, retry: false };
  const found = resolveDestination(deps, sink, namespace);
  if (found.kind === "failed") {
    const verdict = isFalse("Unable to get the DeadLetterSink's URI", found.message);
    return { verdict, status: {}, retry: found.retry };
  }
  return { verdict: isTrue, target: found.target, status: deliveryStatus(found.target), retry: false };
}

const notConfigured: Verdict = {
  status: "True",
  reason: "DeadLetterSinkNotConfigured",
  message: "No dead letter sink is configured.",
};

function deliveryStatus({ url, caCerts, audience }: EventTarget): DeliveryStatus {
  return {
    deadLetterSinkUri: url,
    ...(caCerts ? { deadLetterSinkCACerts: caCerts } : {}),
    ...(audience ? { deadLetterSinkAudience: audience } : {}),
  };
}

/** `audience`: for whom tokens are made, where they are asked for. */
export const addressOf = (url: string, audience?: string): Addressable => ({
  name: new URL(url).protocol.replace(":", ""),
  url,
  ...(audience === undefined ? {} : { audience }),
});

/** The fields under which a status tells a resolved sink. */
export function sinkStatus(found: Resolution): {
  readonly sinkUri?: string;
  readonly sinkCACerts?: string;
  readonly sinkAudience?: string;
} {
  if (found.kind === "failed") return {};
  const { url, caCerts, audience } = found.target;
  return {
    sinkUri: url,
    ...(caCerts ? { sinkCACerts: caCerts } : {}),
    ...(audience ? { sinkAudience: audience } : {}),
  };
}

/** SinkProvided as every source has it. */
export const sinkVerdict = (found: Resolution): Verdict =>
  found.kind === "resolved" ? isTrue : isFalse("NotFound", found.message);

export const observedOf = ({ metadata }: KubeObject): { readonly observedGeneration?: number } =>
  metadata.generation === undefined ? {} : { observedGeneration: metadata.generation };

/** Kinds that nobody watches here are asked again. */
export const askAgainMs = 5_000;
