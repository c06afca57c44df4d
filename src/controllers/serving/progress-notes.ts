import { keyOf } from "../../api/meta/object.ts";
import { conditionOf } from "../../api/serving/conditions.ts";
import type { Service, ServiceStatus } from "../../api/serving/types.gen.ts";

/** What a Service still waits for is told this often: until it is ready that changes with each of its parts. */
const everyMs = 1000;

/**
 * When a Service last told what it waits for. A new one goes from part to part within a second, and each word of it
 * would be a write; that it is ready, or failed, or has taken in a new spec is told at once.
 */
export class ProgressNotes {
  readonly #toldMs = new Map<string, number>();

  /** 0: the status is to be written now, and counts as told; otherwise milliseconds until it may be. */
  holdMs({ metadata, status: before }: Service, status: ServiceStatus, nowMs: number): number {
    const key = keyOf(metadata);
    if (conditionOf({ status }, "Ready")?.status !== "Unknown") {
      this.#toldMs.delete(key);
      return 0;
    }
    const isNews =
      before?.observedGeneration !== status.observedGeneration ||
      conditionOf(before ? { status: before } : undefined, "Ready")?.status !== "Unknown";
    const toldMs = this.#toldMs.get(key);
    const leftMs = toldMs === undefined || isNews ? 0 : toldMs + everyMs - nowMs;
    if (leftMs > 0 && leftMs <= everyMs) return leftMs;
    this.#toldMs.set(key, nowMs);
    return 0;
  }

  forget(key: string): void {
    this.#toldMs.delete(key);
  }
}
