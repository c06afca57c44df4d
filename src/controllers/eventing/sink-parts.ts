/** What the controllers of sinks share that take events in a place of ebb's own, and are not made of pods. */
import type { SinkAction, SinkKey, SinkKind } from "../../api/eventing/sink-engine.ts";
import type { Kind } from "../../api/meta/kind.ts";
import type { KubeObject } from "../../api/meta/object.ts";
import { isFalse, isTrue, type Verdict } from "../../api/serving/conditions.ts";
import type { Addressable, Condition } from "../../api/serving/types.gen.ts";
import type { EventingDeps } from "./deps.ts";
import { addFinalizer, dropFinalizer } from "./finalizer.ts";
import type { PolicyFacts } from "./policies.ts";
import { addressOf } from "./status-parts.ts";

export interface TakingObject extends KubeObject {
  readonly status?: { readonly conditions?: readonly Condition[]; readonly address?: Addressable };
}

export interface TakingKind<T extends TakingObject> {
  readonly kind: Kind<T>;
  readonly host: SinkKind;
  readonly finalizer: string;
}

const keyOf = (host: SinkKind, { metadata }: KubeObject): SinkKey => `${host}/${metadata.namespace}/${metadata.name}`;

export type Opened = { readonly url: string; readonly audience?: string } | { readonly failure: string };

/** Begins to take events for the object, by its newest spec. */
export async function openSink<T extends TakingObject>(
  { client, sinks, log }: EventingDeps,
  { kind, host, finalizer }: TakingKind<T>,
  object: T,
  { action, policies }: { readonly action: SinkAction; readonly policies: PolicyFacts },
): Promise<Opened> {
  await addFinalizer(client, kind, object, finalizer);
  const key = keyOf(host, object);
  try {
    const { access } = policies;
    const spec = { key, uid: object.metadata.uid ?? "", action, ...(access ? { access } : {}) };
    return { ...(await sinks.setSink(spec)), ...(access ? { audience: access.audience } : {}) };
  } catch (error) {
    log.warn("a sink of events could not be opened", { sink: key, err: error });
    return { failure: error instanceof Error ? error.message : String(error) };
  }
}

/** Takes no more events for it; while it waits for what it needs, its senders try again. */
export const closeSink = <T extends TakingObject>(
  { sinks }: EventingDeps,
  { host }: TakingKind<T>,
  object: T,
): Promise<void> => sinks.removeSink(keyOf(host, object), object.metadata.uid ?? "");

export async function releaseSink<T extends TakingObject>(
  deps: EventingDeps,
  taking: TakingKind<T>,
  object: T,
): Promise<void> {
  await closeSink(deps, taking, object);
  await dropFinalizer(deps.client, taking.kind, object, taking.finalizer);
}

export const addressableVerdict = (opened: Opened): Verdict =>
  "failure" in opened ? isFalse("NoURL", `URL is empty: ${opened.failure}`) : isTrue;

export const addressStatus = (opened: Opened): { readonly address?: Addressable } =>
  "failure" in opened ? {} : { address: addressOf(opened.url, opened.audience) };
