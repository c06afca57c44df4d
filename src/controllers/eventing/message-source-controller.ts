/** Sources that are read by src/events/sources, of whatever kind: sink, Secrets, what the reader says of itself. */
import { deliveryOptions } from "../../api/eventing/delivery.ts";
import { eventingKeys } from "../../api/eventing/keys.ts";
import { sourceKeyOf, type SourceSpec, type SourceState } from "../../api/eventing/source-engine.ts";
import type {
  CloudEventAttributes,
  DeliverySpec,
  SourceSpec as SourceFields,
} from "../../api/eventing/types-duck.gen.ts";
import type { Kind } from "../../api/meta/kind.ts";
import type { KubeObject } from "../../api/meta/object.ts";
import { isFalse, isTrue, isUnknown, type Verdict, type Verdicts } from "../../api/serving/conditions.ts";
import type { Condition } from "../../api/serving/types.gen.ts";
import type { ControllerSpec, ReconcileResult } from "../../client/controller.ts";
import { selfKey, watching } from "../../client/keys.ts";
import { ownFacts, whenChanged } from "../serving/when-changed.ts";
import { observing, writeStatus } from "../serving/write.ts";
import { watchAddresses, type Resolution } from "./addresses.ts";
import type { EventingDeps } from "./deps.ts";
import { addFinalizer, dropFinalizer } from "./finalizer.ts";
import { resolveSecrets, secretKeyRefsIn, type ResolvedSettings, type SecretRef } from "./source-secrets.ts";
import { watchFeatures } from "./features.ts";
import { identityOf } from "./identity.ts";
import { resolveSink, sourceStatus } from "./source-status.ts";
import { askAgainMs, deadLetterOf, type DeadLetterFacts } from "./status-parts.ts";

export interface MessageSource extends KubeObject {
  readonly spec: SourceFields & { readonly delivery?: DeliverySpec };
  readonly status?: { readonly conditions?: readonly Condition[]; readonly observedGeneration?: number };
}

/** What is particular to a kind. */
export interface MessageSourceKind<T extends MessageSource> {
  readonly kind: Kind<T>;
  /** Conditions of the kind's own beside SinkProvided; the first one tells of the connection, the others go with it. */
  readonly conditions: readonly [string, ...string[]];
  /** Secrets that the spec names in another way than by a `secretKeyRef`. */
  secretsOf?(spec: T["spec"]): readonly SecretRef[];
  /** What its reader must know beside the spec. */
  settingsOf?(source: T): object;
  /** Why no process here can read it, whatever its spec says. */
  refusal?(deps: EventingDeps): Verdict | undefined;
  /** Makes the ways by which the world finds it; called before it is read. */
  makeWays?(deps: EventingDeps, source: T): Promise<void>;
  /** Events that may come, for the status; `base` is the source's `source` attribute. */
  attributesOf(source: T, base: string): readonly CloudEventAttributes[];
  /** The `source` attribute where it is not `/apis/v1/namespaces/NS/PLURAL/NAME`. */
  sourceOf?(source: T): string;
  /** Verdicts of the conditions where they differ; what the reader says is the connection. */
  verdictsOf?(source: T, connection: Verdict): Verdicts;
  /** When to look again at what nobody watches. */
  askAgainMs?(source: T): number | undefined;
  /** Fields of the status that only this kind has. */
  statusOf?(source: T, state: SourceState | undefined): Partial<NonNullable<T["status"]>>;
}

/** The controller of a kind. */
export interface SourceFollower {
  readonly kind: Kind;
  readonly spec: ControllerSpec;
}

export const sourceFollower = <T extends MessageSource>(
  deps: EventingDeps,
  of: MessageSourceKind<T>,
): SourceFollower => ({ kind: of.kind, spec: messageSourceController(deps, of) });

/** Secrets are read anew so often: nobody watches them here. */
const readAgainMs = 30_000;
const finalizer = "sources.events.ebb.dev";

export function messageSourceController<T extends MessageSource>(
  deps: EventingDeps,
  of: MessageSourceKind<T>,
): ControllerSpec {
  const sources = deps.informers.of(of.kind);
  const name = of.kind.kind.toLowerCase();
  return {
    name: `eventing-${name}`,
    watches: [
      watching(of.kind, whenChanged(ownFacts, selfKey)),
      watchFeatures(sources),
      ...watchAddresses(sources, `eventing-${name}-sink`, ({ spec }) => [spec.sink, spec.delivery?.deadLetterSink]),
    ],
    onStart(queue, signal) {
      const stop = deps.sources.onChange((key) => {
        if (key.startsWith(`${name}/`)) queue.add(key.slice(name.length + 1));
      });
      signal.addEventListener("abort", stop, { once: true });
    },
    async reconcile(key) {
      const source = sources.get(key);
      if (!source) return;
      if (source.metadata.deletionTimestamp) return release(deps, of, source);
      return observing(deps, of.kind, source, () => reconcileSource(deps, of, source));
    },
  };
}

async function release<T extends MessageSource>(
  deps: EventingDeps,
  { kind }: MessageSourceKind<T>,
  source: T,
): Promise<void> {
  const { name, namespace = "", uid = "" } = source.metadata;
  const key = sourceKeyOf(kind.kind, namespace, name);
  try {
    await deps.sources.removeSource(key, uid, { forget: true });
  } catch (error) {
    // A server that is gone must not keep the object.
    const message = `what was made for it there may be left: ${error instanceof Error ? error.message : String(error)}`;
    deps.recorder.record({ kind, object: source, type: "Warning", reason: "NotForgotten", message });
    await deps.sources.removeSource(key, uid);
  }
  await dropFinalizer(deps.client, kind, source, finalizer);
}

async function reconcileSource<T extends MessageSource>(
  deps: EventingDeps,
  of: MessageSourceKind<T>,
  source: T,
): Promise<ReconcileResult | void> {
  const { namespace = "", name, uid = "" } = source.metadata;
  const key = sourceKeyOf(of.kind.kind, namespace, name);
  await addFinalizer(deps.client, of.kind, source, finalizer);
  const sink = resolveSink(deps, of.kind, source);
  const deadLetter = deadLetterOf(deps, source.spec.delivery, namespace);
  const refs = [...secretKeyRefsIn(source.spec), ...(of.secretsOf?.(source.spec) ?? [])];
  const resolved = await resolveSecrets(deps.client, namespace, { spec: source.spec, refs });
  const refusal = of.refusal?.(deps);
  const spec = refusal ? undefined : makeSourceSpec(of, source, { sink, deadLetter, resolved });
  if (spec) await of.makeWays?.(deps, source);
  // Without its sink or a Secret it is not read: its queue keeps what comes.
  if (spec) deps.sources.setSource(spec);
  else await deps.sources.removeSource(key, uid);
  const state = deps.sources.sourceState(key);
  await writeStatus(deps, of.kind, source, {
    ...sourceStatus(source, {
      sink,
      identity: await identityOf(deps, of.kind, source),
      conditions: of.conditions,
      verdicts: verdictsOf(of, source, refusal ?? connectionOf(resolved, deadLetter, state)),
      attributes: of.attributesOf(source, baseOf(of, source)),
      now: deps.clock.now(),
    }),
    ...annotationsOf(state),
    ...of.statusOf?.(source, state),
  } as NonNullable<T["status"]>);
  if (refusal) return;
  if (!spec || deadLetter.retry || (sink.kind === "failed" && sink.retry)) return { requeueAfterMs: askAgainMs };
  const againMs = of.askAgainMs?.(source);
  if (againMs !== undefined) return { requeueAfterMs: againMs };
  if (refs.length > 0) return { requeueAfterMs: readAgainMs };
}

function annotationsOf(state: SourceState | undefined): { readonly annotations?: Readonly<Record<string, string>> } {
  const { facts, by } = state ?? {};
  if (!facts && by === undefined) return {};
  return { annotations: { ...facts, ...(by === undefined ? {} : { [eventingKeys.readBy]: by }) } };
}

interface Found {
  readonly sink: Resolution;
  readonly deadLetter: DeadLetterFacts;
  readonly resolved: ResolvedSettings;
}

function makeSourceSpec<T extends MessageSource>(
  of: MessageSourceKind<T>,
  source: T,
  { sink, deadLetter, resolved }: Found,
): SourceSpec | undefined {
  const { delivery, ceOverrides } = source.spec;
  const waitsForDeadLetter = delivery?.deadLetterSink !== undefined && !deadLetter.target;
  if (sink.kind !== "resolved" || resolved.kind !== "resolved" || waitsForDeadLetter) return undefined;
  const { name, namespace = "", uid = "" } = source.metadata;
  const { kind } = of.kind;
  return {
    key: sourceKeyOf(kind, namespace, name),
    uid,
    kind,
    namespace,
    name,
    source: baseOf(of, source),
    settings: of.settingsOf ? { ...(resolved.settings as object), ...of.settingsOf(source) } : resolved.settings,
    target: sink.target,
    ...(delivery ? { delivery: deliveryOptions(delivery) } : {}),
    ...(deadLetter.target ? { deadLetter: deadLetter.target } : {}),
    ...(ceOverrides?.extensions ? { extensions: ceOverrides.extensions } : {}),
  };
}

/** As upstream's sources name themselves, whatever their version. */
const baseOf = <T extends MessageSource>({ kind, sourceOf }: MessageSourceKind<T>, source: T): string =>
  sourceOf?.(source) ?? `/apis/v1/namespaces/${source.metadata.namespace}/${kind.plural}/${source.metadata.name}`;

function verdictsOf<T extends MessageSource>(of: MessageSourceKind<T>, source: T, verdict: Verdict): Verdicts {
  if (of.verdictsOf) return of.verdictsOf(source, verdict);
  return Object.fromEntries(of.conditions.map((type) => [type, verdict]));
}

function connectionOf(
  resolved: ResolvedSettings,
  deadLetter: DeadLetterFacts,
  state: SourceState | undefined,
): Verdict {
  if (resolved.kind === "missing") return isFalse("SecretNotFound", resolved.message);
  if (deadLetter.verdict.status === "False") return deadLetter.verdict;
  if (!state) return isUnknown("NotRead", "it is not read yet: its sink is not there, or ebb is starting");
  if (!state.connected)
    return state.trouble === undefined
      ? isUnknown("Connecting", "it is being connected")
      : isFalse("ConnectionFailed", state.trouble);
  return state.trouble === undefined ? isTrue : { ...isTrue, reason: "EventsRefused", message: state.trouble };
}
