/** What is said between the pool and its threads. */
export interface Evaluation {
  readonly expression: string;
  /** JSON. */
  readonly input: string;
}

export type EvaluationResult =
  /** undefined: the expression yields nothing. */
  { readonly kind: "value"; readonly json: string | undefined } | { readonly kind: "failed"; readonly reason: string };
