import type { Clock } from "../../client/clock.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { ConsumerCounts, ConsumerDeps, ConsumerSettings } from "../delivery/consumer.ts";
import type { Failure, Outcome } from "../delivery/deliver.ts";
import type { Answer, Sender } from "../delivery/http-sender.ts";
import type { EventStore, EventStream } from "../log/event-store.ts";
import { HeldConsumers } from "../sharing/held-consumers.ts";
import type { StoredEvent } from "../wire/stored-event.ts";
import { fromRecord, isOver, toRecord, type Call, type CallStatus } from "./call.ts";
import { askOthers, type CallsSharing, type OtherCalls } from "./other-calls.ts";

export interface CallsDeps {
  readonly store: EventStore;
  /** Reaches the services that calls are for. */
  readonly sender: Sender;
  readonly callbackSender: Sender;
  readonly clock: Clock;
  readonly log: Logger;
  /** Where several processes take calls and share the carrying out; absent: this one has all. */
  readonly sharing?: CallsSharing;
}

export interface CallsOptions {
  /** Attempts after the first. Default 3. */
  readonly retry?: number;
  /** Before the first retry, doubled for each further one. Default 1 s. */
  readonly backoffMs?: number;
  /** Longest time of one attempt. Default 15 minutes. */
  readonly timeoutMs?: number;
  /** How long results are kept. Default a day. */
  readonly keptMs?: number;
  /** Most calls of one service under way. Default 128. */
  readonly maxInFlight?: number;
}

const defaults = { retry: 3, backoffMs: 1000, timeoutMs: 900_000, keptMs: 24 * 3_600_000, maxInFlight: 128 } as const;
const limits = { maxAgeMs: 7 * 24 * 3_600_000 } as const;
const callbacks = "calls/callback";
/** Between two looks for queues that others have made. */
const lookMs = 20_000;
const streamPrefix = "calls/to/";
/** Answers worth another attempt, as users of asynchronous functions expect. */
const retried: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);

/**
 * Requests that are carried out later: one durable queue per service, delivered by the same machine as events, with the
 * result kept for whoever asks. Taken when {@link add} resolves; carried out at least once. Where several processes share
 * a log, each takes calls for any service and carries out those of its own queues.
 */
export class Calls {
  readonly #deps: CallsDeps;
  readonly #options: Required<CallsOptions>;
  readonly #queues = new Map<string, Promise<EventStream>>();
  readonly #streams = new Map<string, EventStream>();
  readonly #consumers: HeldConsumers<ConsumerSettings>;
  readonly #others: OtherCalls | undefined;
  #cancelLook: (() => void) | undefined;
  readonly #running = new Map<string, AbortController>();
  readonly #cancelled = new Set<string>();
  readonly #attempts = new Map<string, number>();

  constructor(options: CallsOptions, deps: CallsDeps) {
    this.#options = { ...defaults, ...options };
    this.#deps = deps;
    const { sharing, ...rest } = deps;
    this.#consumers = new HeldConsumers(
      { held: true },
      {
        ...rest,
        ...(sharing ? { shares: sharing.shares } : {}),
        streamOf: (name) => this.#streams.get(name),
        nameOf: ({ key }) => key,
        depsFor: ({ key }) => this.#depsFor(key),
      },
    );
    this.#others =
      sharing &&
      askOthers(sharing, {
        onQueue: (name) => void this.#queue(name).catch((err: unknown) => this.#missed(name, err)),
        attemptsOf: (id) => this.#attempts.get(id),
        cancel: (id) => this.#cancelHere(id),
      });
  }

  /** Goes on with what an earlier process left. */
  async start(): Promise<void> {
    await this.#openAll();
    this.#consumers.release();
    if (this.#others) this.#lookLater();
  }

  async #openAll(): Promise<void> {
    for (const name of await this.#deps.store.streamNames("calls/")) await this.#queue(name);
  }

  /** Others say when they make a queue, which may go unheard. */
  #lookLater(): void {
    this.#cancelLook = this.#deps.clock.after(lookMs, () => {
      this.#openAll()
        .catch((err: unknown) => this.#missed("calls/", err))
        .finally(() => this.#cancelLook && this.#lookLater());
    });
  }

  #missed(queue: string, err: unknown): void {
    this.#deps.log.warn("a queue of calls could not be opened, and is tried again", { queue, err });
  }

  /** Resolves when the call is on disk. Rejects with a StoreFailure when it is not. */
  async add(call: Call): Promise<void> {
    const queue = await this.#queue(queueOf(call));
    // Before the call itself: it may be over before both were written at once.
    await this.#put({
      id: call.id,
      state: "queued",
      host: call.host,
      method: call.method,
      path: call.path,
      createdAt: this.#timeText(),
    });
    await queue.append([{ event: toRecord(call) }]);
  }

  async status(id: string): Promise<CallStatus | undefined> {
    const status = await this.#stored(id);
    if (!status || isOver(status)) return status;
    const attempts = this.#attempts.get(id) ?? (await this.#others?.attemptsOf(queueOf(status), id));
    return attempts === undefined ? status : { ...status, state: "running", attempts };
  }

  async #stored(id: string): Promise<CallStatus | undefined> {
    const document = await this.#deps.store.getDocument(documentName(id));
    return document && (JSON.parse(document.text) as CallStatus);
  }

  /** The body of the last answer, when the call is over. */
  async result(id: string): Promise<{ readonly status: CallStatus; readonly body: Uint8Array } | undefined> {
    const document = await this.#deps.store.getDocument(documentName(id));
    if (!document) return undefined;
    return { status: JSON.parse(document.text) as CallStatus, body: document.data ?? new Uint8Array(0) };
  }

  /** Ends a call that is not over; one under way is cut off. Undefined: there is none. */
  async cancel(id: string): Promise<CallStatus | undefined> {
    const status = await this.#stored(id);
    if (!status || isOver(status)) return status;
    // Whoever carries it out writes what becomes of it; nobody may be there just now.
    const cancelled = this.#running.has(id) ? undefined : await this.#others?.cancel(queueOf(status), id);
    return cancelled ?? (await this.#cancelHere(id));
  }

  async #cancelHere(id: string): Promise<CallStatus | undefined> {
    const status = await this.status(id);
    if (!status || isOver(status)) return status;
    const cancelled: CallStatus = { ...status, state: "cancelled", finishedAt: this.#timeText() };
    this.#cancelled.add(id);
    await this.#put(cancelled);
    this.#running.get(id)?.abort(new Error("cancelled"));
    return cancelled;
  }

  stats(): readonly ({ readonly key: string; readonly lag: number; readonly inFlight: number } & ConsumerCounts)[] {
    return this.#consumers.all().map((consumer) => ({
      key: consumer.key,
      lag: consumer.state().lag,
      inFlight: consumer.inFlight,
      ...consumer.counts,
    }));
  }

  async close(ms: number): Promise<void> {
    this.#cancelLook?.();
    this.#cancelLook = undefined;
    this.#others?.close();
    await this.#consumers.close(ms);
  }

  #queue(name: string): Promise<EventStream> {
    let queue = this.#queues.get(name);
    if (!queue) {
      queue = this.#openQueue(name);
      this.#queues.set(name, queue);
      // What failed is tried again by the next one who asks.
      queue.catch(() => this.#queues.delete(name));
    }
    return queue;
  }

  async #openQueue(name: string): Promise<EventStream> {
    const { store } = this.#deps;
    const { retry, backoffMs, timeoutMs, maxInFlight } = this.#options;
    const stream = await store.openStream(name, limits);
    this.#streams.set(name, stream);
    stream.onChange(() => this.#consumers.wake(name));
    await this.#consumers.set({
      key: name,
      uid: "",
      stream: name,
      subscriber: { url: "http://-/" },
      start: { from: "earliest" },
      delivery: { retry, backoffPolicy: "exponential", backoffDelayMs: backoffMs, timeoutMs },
      maxInFlight,
    });
    this.#others?.tell(name);
    return stream;
  }

  #depsFor(name: string): Pick<ConsumerDeps<ConsumerSettings>, "deliverer" | "givenUp"> {
    const deliver = name === callbacks ? this.#deliverCallback : this.#deliver;
    return {
      deliverer: { deliver: (_delivery, event, attempt) => deliver(event, attempt), deliverDeadLetter: neverDead },
      ...(name === callbacks
        ? {}
        : { givenUp: ({ event }, failure, attempts) => this.#giveUp(fromRecord(event), failure, attempts) }),
    };
  }

  readonly #deliver = async (event: StoredEvent, attempt: number): Promise<Outcome> => {
    const call = fromRecord(event);
    const known = await this.#stored(call.id);
    // Over already: it was cancelled, or ebb ended between the result and the queue's note of it.
    if (known && isOver(known)) {
      this.#cancelled.delete(call.id);
      return { kind: "done" };
    }
    const stop = new AbortController();
    this.#running.set(call.id, stop);
    this.#attempts.set(call.id, attempt);
    const answer = await this.#deps.sender.send(
      { url: `http://${call.host}${call.path}` },
      {
        method: call.method,
        headers: { ...call.headers, "x-call-id": call.id, "ebb-delivery-attempt": String(attempt) },
        body: call.body ?? "",
        timeoutMs: this.#options.timeoutMs,
        signal: stop.signal,
      },
    );
    this.#running.delete(call.id);
    if (this.#cancelled.delete(call.id)) {
      this.#attempts.delete(call.id);
      return { kind: "done" };
    }
    if (answer.kind === "none" || retried.has(answer.status)) return failed(call, answer);
    await this.#finish(call, { answer, attempt, state: answer.status < 400 ? "succeeded" : "failed" });
    return { kind: "done" };
  };

  async #giveUp(call: Call, failure: Failure, attempts: number): Promise<void> {
    const { body, status, reason } = failure;
    const noAnswer = failure.url === unanswered;
    const answer: Answer = noAnswer
      ? { kind: "none", reason }
      : { kind: "answer", status, headers: {}, body, cut: false };
    await this.#finish(call, { answer, attempt: attempts, state: "failed", reason });
  }

  /** The result first, then whoever wants to be told, then (by the caller) the queue: nothing of it is forgotten. */
  async #finish(
    call: Call,
    {
      answer,
      attempt,
      state,
      reason,
    }: {
      readonly answer: Answer;
      readonly attempt: number;
      readonly state: "succeeded" | "failed";
      readonly reason?: string;
    },
  ): Promise<void> {
    const { id, host, method, path } = call;
    const before = await this.#stored(id);
    // It was cancelled just now, or another process carried it out too, having taken this one for dead.
    if (before && isOver(before)) return void this.#attempts.delete(id);
    const status: CallStatus = {
      id,
      state,
      host,
      method,
      path,
      createdAt: before?.createdAt ?? this.#timeText(),
      finishedAt: this.#timeText(),
      attempts: attempt,
      status: answer.kind === "none" ? 503 : answer.status,
      ...(reason === undefined ? {} : { reason }),
      headers: answer.kind === "none" ? {} : plainHeaders(answer.headers),
    };
    const body = this.#kept(answer.kind === "none" ? undefined : answer.body);
    await this.#put(
      body === "too-large" ? { ...status, ...tooLarge(answer) } : status,
      body === "too-large" ? undefined : body,
    );
    this.#attempts.delete(id);
    if (call.callbackUrl === undefined) return;
    const queue = await this.#queue(callbacks);
    await queue.append([{ event: callbackRecord(call.callbackUrl, status, body === "too-large" ? undefined : body) }]);
  }

  /** Logs have a largest message. */
  #kept(body: Uint8Array | undefined): Uint8Array | undefined | "too-large" {
    const { largestBytes = Infinity } = this.#deps.store;
    return body && body.length > largestBytes - headRoom ? "too-large" : body;
  }

  readonly #deliverCallback = async ({ attributes, data }: StoredEvent): Promise<Outcome> => {
    const url = String(attributes["url"]);
    const answer = await this.#deps.callbackSender.send(
      { url },
      {
        headers: JSON.parse(String(attributes["headers"])) as Readonly<Record<string, string>>,
        body: data ?? "",
        timeoutMs: 60_000,
      },
    );
    if (answer.kind === "answer" && answer.status < 400) return { kind: "done" };
    const reason = answer.kind === "none" ? answer.reason : `it answered ${answer.status}`;
    const again = answer.kind === "none" || retried.has(answer.status);
    // Callbacks go to many places: none of them being down says anything of the others.
    return failure({ url, status: answer.kind === "none" ? 500 : answer.status, reason, body: Buffer.alloc(0) }, again);
  };

  #put(status: CallStatus, data?: Uint8Array): Promise<void> {
    const expiresMs = this.#deps.clock.now() + (isOver(status) ? this.#options.keptMs : limits.maxAgeMs);
    return this.#deps.store.putDocument(documentName(status.id), { text: JSON.stringify(status), data, expiresMs });
  }

  #timeText(): string {
    return new Date(this.#deps.clock.now()).toISOString();
  }
}

const queueOf = ({ host }: Pick<CallStatus, "host">): string => streamPrefix + host.toLowerCase();
const documentName = (id: string): string => `call/${id}`;
/** In place of a URL where nobody answered. */
const unanswered = "-";

/** In messages of the log, beside a body. */
const headRoom = 64 * 1024;

const tooLarge = (answer: Answer): Pick<CallStatus, "reason"> => ({
  reason: `its answer of ${answer.kind === "none" ? 0 : answer.body.length} bytes is larger than what is kept of one`,
});

const neverDead = (): Promise<Outcome> => Promise.reject(new Error("calls have no dead letter sink"));

function failed(call: Call, answer: Answer): Outcome {
  if (answer.kind === "none")
    return {
      ...failure({ url: unanswered, status: 500, reason: answer.reason, body: Buffer.alloc(0) }, true),
      sinkIll: true,
    };
  const { status, body, headers } = answer;
  const retryAfter = headers["retry-after"];
  const outcome = failure(
    { url: `http://${call.host}${call.path}`, status, reason: `it answered ${status}`, body },
    true,
  );
  return {
    ...outcome,
    sinkIll: status === 502 || status === 503,
    failure: { ...outcome.failure, retryAfter: typeof retryAfter === "string" ? retryAfter : undefined },
  };
}

const failure = (what: Omit<Failure, "retryAfter">, again: boolean): Extract<Outcome, { kind: "failed" }> => ({
  kind: "failed",
  again,
  sinkIll: false,
  failure: { ...what, retryAfter: undefined },
});

/** Header names are those that callbacks of OpenFaaS have. */
const callbackRecord = (url: string, status: CallStatus, body: Uint8Array | undefined): StoredEvent => ({
  attributes: {
    specversion: "1.0",
    id: status.id,
    source: status.host,
    type: "dev.ebb.callback",
    url,
    headers: JSON.stringify({
      ...status.headers,
      "x-call-id": status.id,
      "x-duration-seconds": ((Date.parse(status.finishedAt ?? "") - Date.parse(status.createdAt)) / 1000).toFixed(6),
      "x-function-status": String(status.status ?? 503),
      "x-function-name": status.host.split(".", 1)[0] ?? status.host,
      "x-retry": String(Math.max(0, (status.attempts ?? 1) - 1)),
    }),
  },
  data: body,
  structured: false,
});

const hopHeaders: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "transfer-encoding",
  "content-length",
  "trailer",
  "upgrade",
  "date",
]);

function plainHeaders(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Readonly<Record<string, string>> {
  const plain: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined && !hopHeaders.has(name))
      plain[name] = typeof value === "string" ? value : value.join(", ");
  return plain;
}
