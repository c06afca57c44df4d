import type { ImageStore } from "../store.ts";
import { pullImage, type PulledImage, type PullOptions } from "./pull-image.ts";
import type { RegistryClient } from "./registry-client.ts";

/** Pulls for many who may want one image at a time: it travels once. */
export interface ImagePuller {
  /** Leaving by the signal ends the pull when nobody else waits for it. Every waiter gets the progress. */
  pull(reference: string, options: PullOptions): Promise<PulledImage>;
}

interface Running {
  readonly done: Promise<PulledImage>;
  readonly stop: AbortController;
  readonly listeners: Set<NonNullable<PullOptions["progress"]>>;
  waiters: number;
}

export function createImagePuller(deps: { readonly client: RegistryClient; readonly store: ImageStore }): ImagePuller {
  const running = new Map<string, Running>();

  function start(reference: string, key: string, options: PullOptions): Running {
    const stop = new AbortController();
    const listeners: Running["listeners"] = new Set();
    const { platform, retry } = options;
    const done = pullImage(deps, reference, {
      signal: stop.signal,
      progress: (event) => listeners.forEach((listener) => listener(event)),
      ...(platform ? { platform } : {}),
      ...(retry ? { retry } : {}),
    }).finally(() => running.delete(key));
    done.catch(() => undefined);
    const made = { done, stop, listeners, waiters: 0 };
    running.set(key, made);
    return made;
  }

  return {
    async pull(reference, options) {
      options.signal?.throwIfAborted();
      const key = JSON.stringify([reference, options.platform]);
      const shared = running.get(key) ?? start(reference, key, options);
      const { signal, progress } = options;
      const left = Promise.withResolvers<never>();
      const leave = (): void => left.reject(signal?.reason);
      signal?.addEventListener("abort", leave, { once: true });
      if (progress) shared.listeners.add(progress);
      shared.waiters += 1;
      try {
        return await Promise.race([shared.done, left.promise]);
      } finally {
        signal?.removeEventListener("abort", leave);
        if (progress) shared.listeners.delete(progress);
        shared.waiters -= 1;
        if (shared.waiters === 0) {
          shared.stop.abort(new Error("nobody waits for the image any more"));
          if (running.get(key) === shared) running.delete(key);
        }
      }
    },
  };
}
