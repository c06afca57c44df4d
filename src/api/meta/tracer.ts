/** Traces (W3C Trace Context): what rooms say of the hops of an event, whoever records it. */

export interface Tracer {
  /**
   * Begins a span under the one that `parent` names, a `traceparent`; a trace of its own without one, or with one that
   * is none.
   */
  start(name: string, from: SpanStart): Span;
}

export interface SpanStart {
  readonly parent: string | undefined;
  /** Whose turn it is: somebody asks us, we ask somebody, or we pass a message on. */
  readonly kind: "server" | "client" | "producer" | "consumer";
  readonly attributes?: SpanAttributes;
}

export type SpanAttributes = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Span {
  /** What to hand on, so that the next hop is under this one. */
  readonly traceparent: string;
  /** Once. With `error` it failed, for that reason. */
  end(outcome?: { readonly error?: string | undefined; readonly attributes?: SpanAttributes }): void;
}
