import type { Clock } from "../../client/clock.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { FunctionImage } from "./fetch-function.ts";

export interface FunctionImagesDeps {
  readonly clock: Clock;
  readonly log: Logger;
  /** Undefined: no function that a host could run. */
  readonly fetch: (image: string, namespace: string, signal: AbortSignal) => Promise<FunctionImage | undefined>;
  /** An image has come, or turned out to be none. */
  readonly onKnown: () => void;
  /** Nobody needs the image any more. */
  readonly drop: (image: FunctionImage, stillNeeded: ReadonlySet<string>) => void;
}

interface Entry {
  readonly users: Set<string>;
  image: FunctionImage | "none" | undefined;
  tries: number;
  fetching: boolean;
  /** Who waits for it to be known. */
  readonly waiting: ((image: FunctionImage | "none") => void)[];
}

const newEntry = (): Entry => ({ users: new Set(), image: undefined, tries: 0, fetching: false, waiting: [] });

/** Images being fetched at once. */
const maxFetching = 4;
const retryMs = [1_000, 5_000, 30_000, 120_000, 600_000] as const;

/**
 * The images of functions, fetched ahead of need: as soon as somebody uses one, a few at a time, and again later when
 * the registry does not answer. An image is its digest: once here it stays as it is.
 */
export class FunctionImages {
  readonly #deps: FunctionImagesDeps;
  readonly #entries = new Map<string, Entry>();
  readonly #stop = new AbortController();
  readonly #queue: (() => Promise<void>)[] = [];
  #fetching = 0;

  constructor(deps: FunctionImagesDeps) {
    this.#deps = deps;
  }

  /** The image, if it is here; `none` when no host can run it. */
  get(image: string): FunctionImage | "none" | undefined {
    return this.#entries.get(image)?.image;
  }

  /** The image once it is here, as `get`; undefined when it does not come in time, or nobody uses it. */
  async whenKnown(image: string, withinMs: number): Promise<FunctionImage | "none" | undefined> {
    const entry = this.#entries.get(image);
    if (!entry || entry.image !== undefined) return entry?.image;
    const late = Promise.withResolvers<undefined>();
    const cancel = this.#deps.clock.after(withinMs, () => late.resolve(undefined));
    const known = Promise.withResolvers<FunctionImage | "none">();
    entry.waiting.push(known.resolve);
    return Promise.race([known.promise, late.promise]).finally(cancel);
  }

  /** `user` needs the image from now on. */
  use(image: string, user: string, namespace: string): void {
    let entry = this.#entries.get(image);
    if (!entry) this.#entries.set(image, (entry = newEntry()));
    entry.users.add(user);
    if (entry.image === undefined && !entry.fetching) this.#enqueue(image, namespace, entry);
  }

  release(image: string, user: string): void {
    const entry = this.#entries.get(image);
    if (!entry?.users.delete(user) || entry.users.size > 0) return;
    this.#entries.delete(image);
    if (typeof entry.image === "object") this.#deps.drop(entry.image, this.#digests());
  }

  /** `user` is gone, whatever it needed. */
  forget(user: string): void {
    for (const image of this.#entries.keys()) this.release(image, user);
  }

  close(): void {
    this.#stop.abort(new Error("the warm pods are closing"));
    this.#queue.length = 0;
  }

  #digests(): ReadonlySet<string> {
    const digests = new Set<string>();
    for (const { image } of this.#entries.values())
      if (typeof image === "object") for (const { digest } of image.layers) digests.add(digest);
    return digests;
  }

  #enqueue(image: string, namespace: string, entry: Entry): void {
    entry.fetching = true;
    this.#queue.push(() => this.#fetch(image, namespace, entry));
    this.#next();
  }

  #next(): void {
    while (this.#fetching < maxFetching) {
      const job = this.#queue.shift();
      if (!job) return;
      this.#fetching += 1;
      void job().finally(() => {
        this.#fetching -= 1;
        this.#next();
      });
    }
  }

  async #fetch(image: string, namespace: string, entry: Entry): Promise<void> {
    const { signal } = this.#stop;
    if (signal.aborted || this.#entries.get(image) !== entry) return;
    try {
      entry.image = (await this.#deps.fetch(image, namespace, signal)) ?? "none";
      entry.fetching = false;
      for (const tell of entry.waiting.splice(0)) tell(entry.image);
      this.#deps.onKnown();
    } catch (error) {
      if (signal.aborted) return;
      const afterMs = retryMs[Math.min(entry.tries++, retryMs.length - 1)] ?? 600_000;
      this.#deps.log.info("a function's image could not be fetched ahead of need", { image, err: error, afterMs });
      this.#deps.clock.after(afterMs, () => {
        entry.fetching = false;
        if (!signal.aborted && this.#entries.get(image) === entry) this.#enqueue(image, namespace, entry);
      });
    }
  }
}
