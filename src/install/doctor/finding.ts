import type { HttpClient } from "../../client/http-client.ts";

/** One thing that was looked at. */
export interface Finding {
  /** `problem`: something does not work; `hint`: it does, and could bite. */
  readonly level: "fine" | "hint" | "problem";
  readonly what: string;
  /** What to do; of a problem or a hint. */
  readonly advice?: string;
}

export interface DoctorDeps {
  readonly client: HttpClient;
  /** This machine's time of day. */
  readonly now: () => number;
  readonly signal: AbortSignal;
}

/** Looks at one side of a cluster. What it throws becomes a problem by itself. */
export type Check = (deps: DoctorDeps) => Promise<readonly Finding[]>;

export const fine = (what: string): Finding => ({ level: "fine", what });
export const hint = (what: string, advice: string): Finding => ({ level: "hint", what, advice });
export const problem = (what: string, advice: string): Finding => ({ level: "problem", what, advice });
