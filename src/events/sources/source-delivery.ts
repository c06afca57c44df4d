/** One event of a source to its sink: attempts, waits and dead letter as consumers of streams have them. */
import type { CloudEvent } from "../../api/cloudevents/cloud-event.ts";
import { isJsonType } from "../../api/cloudevents/cloud-event.ts";
import type { SourceSpec } from "../../api/eventing/source-engine.ts";
import type { Span, Tracer } from "../../api/meta/tracer.ts";
import { sleep, type Clock } from "../../client/clock.ts";
import { Circuit } from "../delivery/circuit.ts";
import type { Deliverer, Delivery, Failure, Outcome } from "../delivery/deliver.ts";
import { compileDelivery, waitMs } from "../delivery/delivery-options.ts";
import { eventAttributes } from "../wire/event-attributes.ts";
import { withAttributes, type EventValue, type StoredEvent } from "../wire/stored-event.ts";
import type { DeliveryOutcome } from "./source-reader.ts";

export interface SourceDeliveryDeps {
  readonly deliverer: Deliverer;
  /** Absent: nothing is traced. */
  readonly tracer?: Tracer | undefined;
  readonly clock: Clock;
  /** The sink has taken an event, or why it took none; undefined after a success. */
  trouble(text: string | undefined): void;
}

export interface SourceCounts {
  delivered: number;
  retried: number;
  deadLettered: number;
  refused: number;
}

/** Of a source whose spec says nothing of retries: those of a Broker (config-br-defaults). */
const defaults = { retry: 10, backoffPolicy: "exponential", backoffDelayMs: 200 } as const;
/** Before an event that nobody took is given back: with each refusal in a row twice as long. */
const firstPauseMs = 1000;
const longestPauseMs = 30_000;

/** Delivers a source's events. Those under way share a circuit: a sink that is ill gets one attempt at a time. */
export class SourceDelivery {
  readonly counts: SourceCounts = { delivered: 0, retried: 0, deadLettered: 0, refused: 0 };
  readonly #spec: SourceSpec;
  readonly #deps: SourceDeliveryDeps;
  readonly #to: Delivery;
  readonly #circuit = new Circuit();
  readonly #deadCircuit = new Circuit();
  #refusals = 0;

  constructor(spec: SourceSpec, deps: SourceDeliveryDeps) {
    this.#spec = spec;
    this.#deps = deps;
    const { delivery = {} } = spec;
    this.#to = {
      target: spec.target,
      reply: undefined,
      options: compileDelivery(delivery.retry === undefined ? { ...defaults, ...delivery } : delivery),
      stream: spec.key,
      consumer: spec.key,
    };
  }

  /** Never rejects; the signal's end gives the event back. */
  async deliver(event: CloudEvent, signal: AbortSignal): Promise<DeliveryOutcome> {
    let span: Span | undefined;
    try {
      const read = storedEventOf({ ...event, ...this.#spec.extensions });
      span = this.#deps.tracer?.start(`read ${this.#spec.key}`, {
        parent: typeof event["traceparent"] === "string" ? event["traceparent"] : undefined,
        kind: "consumer",
        attributes: eventAttributes(read),
      });
      const stored =
        span && event["traceparent"] === undefined ? withAttributes(read, { traceparent: span.traceparent }) : read;
      const failure = await this.#attempts(this.#circuit, signal, (attempt) =>
        this.#deps.deliverer.deliver(this.#to, stored, attempt),
      );
      if (!failure) this.counts.delivered += 1;
      else if (!(await this.#deadLetter(stored, failure, signal))) return await this.#refuse(failure, signal);
      this.#refusals = 0;
      this.#deps.trouble(undefined);
      return "delivered";
    } catch (error) {
      if (signal.aborted) return "refused";
      return this.#refuse({ reason: error instanceof Error ? error.message : String(error) }, signal);
    } finally {
      span?.end();
    }
  }

  async #deadLetter(event: StoredEvent, { failure, attempt }: GivenUp, signal: AbortSignal): Promise<boolean> {
    const { deadLetter } = this.#spec;
    if (!deadLetter) return false;
    const to = { ...this.#to, target: deadLetter };
    const failed = await this.#attempts(this.#deadCircuit, signal, () =>
      this.#deps.deliverer.deliverDeadLetter(to, event, { failure, attempt }),
    );
    if (failed) return false;
    this.counts.deadLettered += 1;
    return true;
  }

  async #refuse(why: { readonly reason: string }, signal: AbortSignal): Promise<DeliveryOutcome> {
    this.counts.refused += 1;
    this.#refusals += 1;
    this.#deps.trouble(why.reason);
    const pauseMs = Math.min(firstPauseMs * 2 ** (this.#refusals - 1), longestPauseMs);
    await sleep(this.#deps.clock, pauseMs, signal).catch(() => undefined);
    return "refused";
  }

  /** Resolves to why it was given up, undefined when it was taken. Rejects when the signal ends it. */
  async #attempts(
    circuit: Circuit,
    signal: AbortSignal,
    send: (attempt: number) => Promise<Outcome>,
  ): Promise<GivenUp | undefined> {
    const { clock } = this.#deps;
    for (let attempt = 1; ; attempt += 1) {
      await this.#turn(circuit, signal);
      circuit.begin();
      const outcome = await send(attempt);
      if (outcome.kind === "failed" && outcome.sinkIll) circuit.failed(clock.steadyMs());
      else circuit.answered();
      if (outcome.kind === "done") return undefined;
      const { failure, again } = outcome;
      if (!again || attempt > this.#to.options.retry) {
        return { failure, attempt, reason: `${failure.url} did not take an event: ${failure.reason}` };
      }
      this.counts.retried += 1;
      const answer = { status: failure.status, retryAfter: failure.retryAfter, nowMs: clock.now() };
      await sleep(clock, waitMs(this.#to.options, attempt, answer), signal);
    }
  }

  /** Waits until the circuit lets an attempt through. */
  async #turn(circuit: Circuit, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { clock } = this.#deps;
    while (!circuit.ready(clock.steadyMs()))
      await sleep(clock, Math.max(pollMs, circuit.nextMs - clock.steadyMs()), signal);
  }
}

/** While somebody else's attempt is under way. */
const pollMs = 100;

interface GivenUp {
  readonly failure: Failure;
  readonly attempt: number;
  readonly reason: string;
}

/** Bytes stay as they are; a value is written as JSON, text of another type than JSON as text. */
function storedEventOf(event: CloudEvent): StoredEvent {
  const attributes: Record<string, EventValue> = {};
  for (const [name, value] of Object.entries(event))
    if (name !== "data" && (typeof value === "string" || typeof value === "number" || typeof value === "boolean"))
      attributes[name] = value;
  const { data, datacontenttype } = event;
  if (data === undefined || data instanceof Uint8Array) return { attributes, data, structured: false };
  if (typeof data === "string" && datacontenttype !== undefined && !isJsonType(datacontenttype))
    return { attributes, data: Buffer.from(data), structured: false };
  const typed = datacontenttype === undefined ? { ...attributes, datacontenttype: "application/json" } : attributes;
  return { attributes: typed, data: Buffer.from(JSON.stringify(data)), structured: false };
}

/** An event as a reader hands it on, of one that was parsed: its data stay the bytes that came. */
export const cloudEventOf = ({ attributes, data }: StoredEvent): CloudEvent => ({
  ...(attributes as unknown as CloudEvent),
  ...(data === undefined ? {} : { data }),
});
