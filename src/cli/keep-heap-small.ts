import { setFlagsFromString } from "node:v8";

/**
 * Makes V8 prefer a small heap over collecting seldom, for a process that rests most of its life: what start-up and
 * bursts took would otherwise stay resident for good. V8 asks for the flag whenever a space is about to grow, so it
 * works in a process that runs already, whoever started it. To be called before the rooms are loaded.
 */
export function keepHeapSmall(): void {
  setFlagsFromString("--optimize-for-size");
}
