/** CloudEvents Expression Language 1.0, §3.3: what can go wrong while an expression is evaluated. */
export type CesqlErrorKind =
  | "math"
  | "cast"
  | "missingAttribute"
  | "missingFunction"
  | "functionEvaluation"
  | "generic";

/** One thing that went wrong. The expression still has a value. */
export interface CesqlError {
  readonly kind: CesqlErrorKind;
  /** What it was about: an attribute, a function, a value. */
  readonly about: string;
}

/** The text is no expression. `at` counts characters from 0. Told by its name, not by its class. */
export class CesqlParseError extends Error {
  override readonly name = "CesqlParseError";
  readonly at: number;

  constructor(complaint: string, at: number) {
    super(`${complaint} at position ${at + 1}`);
    this.at = at;
  }
}
