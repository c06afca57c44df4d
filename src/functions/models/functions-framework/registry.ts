/** One call of functions.http(), cloudEvent(), typed() or event(). */
export interface Registration {
  readonly name: string;
  readonly signature: "http" | "cloudevent" | "typed" | "event";
  readonly fn: (...args: never[]) => unknown;
}

/** Where the package that functions import leaves its registrations, whichever copy of it they import. */
export const registrySymbol = "dev.ebb.functions-framework";

/** What registered itself since the process started, in order; the last of a name counts. */
export function registrations(): readonly Registration[] {
  const found = (globalThis as Readonly<Record<symbol, unknown>>)[Symbol.for(registrySymbol)];
  return Array.isArray(found) ? (found as readonly Registration[]) : [];
}
