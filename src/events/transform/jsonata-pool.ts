/**
 * Threads that evaluate expressions in JSONata. There are none before the first expression and none a minute after the
 * last one. An expression has a time, a memory and a depth; whatever goes beyond is ended with its thread, and nothing
 * else in the process notices. Owners take turns, so that a slow expression holds up its own owner first.
 */
import { Worker } from "node:worker_threads";
import type { Clock } from "../../client/clock.ts";
import type { Evaluation, EvaluationResult } from "./evaluation.ts";

export interface JsonataPoolOptions {
  /** Longest evaluation. Default 2 s. */
  readonly timeoutMs?: number;
  /** Threads at most. Default 2. */
  readonly threads?: number;
  /** Heap of one thread in MiB. Default 64. */
  readonly heapMb?: number;
  /** A thread without work ends after this. Default 60 s. */
  readonly idleMs?: number;
  /** Evaluations of one owner that may wait; more are refused. Default 1000. */
  readonly maxWaiting?: number;
}

export interface JsonataPool {
  /** Never rejects. `owner` is whose turn it takes. */
  evaluate(owner: string, evaluation: Evaluation): Promise<EvaluationResult>;
  /** Threads there are now. */
  readonly size: number;
  close(): Promise<void>;
}

const defaults = { timeoutMs: 2000, threads: 2, heapMb: 64, idleMs: 60_000, maxWaiting: 1000 } as const;

interface Waiting extends Evaluation {
  readonly resolve: (result: EvaluationResult) => void;
}

interface Thread {
  readonly worker: Worker;
  /** It runs: from then on the time of what it does counts. */
  online: boolean;
  current: Waiting | undefined;
  /** Ends the wait for what it does, or for something to do. */
  cancel: () => void;
}

export function createJsonataPool(options: JsonataPoolOptions, { clock }: { readonly clock: Clock }): JsonataPool {
  return new Pool({ ...defaults, ...options }, clock);
}

class Pool implements JsonataPool {
  readonly #options: Required<JsonataPoolOptions>;
  readonly #clock: Clock;
  readonly #threads = new Set<Thread>();
  /** By owner, the one whose turn is next in front. */
  readonly #waiting = new Map<string, Waiting[]>();
  #closed = false;

  constructor(options: Required<JsonataPoolOptions>, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
  }

  get size(): number {
    return this.#threads.size;
  }

  evaluate(owner: string, evaluation: Evaluation): Promise<EvaluationResult> {
    if (this.#closed) return Promise.resolve(failed("ebb is stopping"));
    const queue = this.#waiting.get(owner) ?? [];
    if (queue.length >= this.#options.maxWaiting) return Promise.resolve(failed("too many events wait for it"));
    return new Promise((resolve) => {
      queue.push({ ...evaluation, resolve });
      this.#waiting.set(owner, queue);
      this.#assign();
    });
  }

  #assign(): void {
    for (const thread of this.#threads) if (!thread.current && !this.#give(thread)) return;
    while (this.#waiting.size > 0 && this.#threads.size < this.#options.threads) this.#give(this.#start());
  }

  /** False when nothing waits. */
  #give(thread: Thread): boolean {
    const next = this.#next();
    if (!next) return false;
    thread.cancel();
    thread.current = next;
    thread.worker.ref();
    thread.cancel = () => undefined;
    if (thread.online) this.#watch(thread);
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
    thread.worker.postMessage({ expression: next.expression, input: next.input } satisfies Evaluation);
    return true;
  }

  #watch(thread: Thread): void {
    const { timeoutMs } = this.#options;
    thread.cancel = this.#clock.after(timeoutMs, () =>
      this.#end(thread, `it took longer than ${timeoutMs / 1000} s and was ended`),
    );
  }

  #next(): Waiting | undefined {
    const [turn] = this.#waiting;
    if (!turn) return undefined;
    const [owner, queue] = turn;
    const next = queue.shift();
    // To the end of the row.
    this.#waiting.delete(owner);
    if (queue.length > 0) this.#waiting.set(owner, queue);
    return next;
  }

  #start(): Thread {
    const worker = new Worker(workerFile(), {
      // Nothing of the process is an expression's to see.
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: this.#options.heapMb, maxYoungGenerationSizeMb: 16, stackSizeMb: 4 },
    });
    const thread: Thread = { worker, online: false, current: undefined, cancel: () => undefined };
    this.#threads.add(thread);
    worker.once("online", () => {
      thread.online = true;
      if (thread.current) this.#watch(thread);
    });
    worker.on("message", (result: EvaluationResult) => this.#finish(thread, result));
    worker.on("error", (error: Error & { readonly code?: string }) =>
      this.#end(
        thread,
        error.code === "ERR_WORKER_OUT_OF_MEMORY"
          ? `it needed more than ${this.#options.heapMb} MiB and was ended`
          : `it could not be evaluated: ${error.message}`,
      ),
    );
    return thread;
  }

  #finish(thread: Thread, result: EvaluationResult): void {
    const { current } = thread;
    thread.cancel();
    thread.current = undefined;
    current?.resolve(result);
    if (this.#threads.has(thread) && !this.#give(thread)) this.#rest(thread);
  }

  /** A thread that waits for work keeps nobody from ending. */
  #rest(thread: Thread): void {
    thread.worker.unref();
    thread.cancel = this.#clock.after(this.#options.idleMs, () => this.#end(thread, ""));
  }

  #end(thread: Thread, reason: string): void {
    if (!this.#threads.delete(thread)) return;
    thread.cancel();
    const { current } = thread;
    thread.current = undefined;
    void thread.worker.terminate();
    current?.resolve(failed(reason));
    this.#assign();
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const queue of this.#waiting.values()) for (const { resolve } of queue) resolve(failed("ebb is stopping"));
    this.#waiting.clear();
    const threads = [...this.#threads];
    for (const thread of threads) this.#end(thread, "ebb is stopping");
    await Promise.all(threads.map(({ worker }) => worker.terminate()));
  }
}

const failed = (reason: string): EvaluationResult => ({ kind: "failed", reason });

/** Beside this file, in the sources, in a package and in the bundle of the image alike. */
const workerFile = (): URL =>
  new URL(import.meta.url.endsWith(".ts") ? "./jsonata-worker.ts" : "./jsonata-worker.js", import.meta.url);
