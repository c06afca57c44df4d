/**
 * Evaluates expressions in JSONata in a thread of its own, so that one that never ends can be ended. Run by
 * ./jsonata-pool.ts only; one request at a time.
 */
import { createRequire } from "node:module";
import { parentPort } from "node:worker_threads";
import type { Evaluation, EvaluationResult } from "./evaluation.ts";

interface Compiled {
  evaluate(input: unknown): Promise<unknown>;
}
type Jsonata = (expression: string, options: object) => Compiled;

/** The expressions of a few transforms; compiling takes about as long as evaluating. */
const compiled = new Map<string, Compiled>();
const maxCompiled = 200;
/** Depth of calls and length of sequences, by which most of what never ends is told from what is long. */
const guards = { stack: 500, sequence: 1_000_000 } as const;

const jsonata = createRequire(import.meta.url)("jsonata") as Jsonata;

function compile(expression: string): Compiled {
  const known = compiled.get(expression);
  if (known) return known;
  if (compiled.size >= maxCompiled) compiled.clear();
  const made = jsonata(expression, guards);
  compiled.set(expression, made);
  return made;
}

async function evaluate({ expression, input }: Evaluation): Promise<EvaluationResult> {
  try {
    const value = await compile(expression).evaluate(JSON.parse(input));
    return { kind: "value", json: JSON.stringify(value) as string | undefined };
  } catch (error) {
    const { message, position } = error as { readonly message?: string; readonly position?: number };
    const place = position === undefined ? "" : ` (at position ${position})`;
    return { kind: "failed", reason: `${message ?? String(error)}${place}` };
  }
}

parentPort?.on("message", (request: Evaluation) => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  void evaluate(request).then((result) => parentPort?.postMessage(result));
});
