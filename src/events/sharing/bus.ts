/** How dispatchers talk to each other: fire and forget, to all or to one. */
export interface Bus {
  publish(subject: string, message: object): void;
  /** Calls with every message, its own among them; returns the end. */
  subscribe(subject: string, handler: (message: unknown) => void): () => void;
}

/** Nobody answers questions of that subject: what was asked was not heard. */
export class NobodyListens extends Error {
  override readonly name = "NobodyListens";
}

/** A bus on which questions are answered, too. */
export interface AskingBus extends Bus {
  /** Rejects when nobody answers in time, with a {@link NobodyListens} when nobody heard it. */
  ask(subject: string, question: object, timeoutMs: number): Promise<unknown>;
  /** Answers with what the handler resolves to; one that rejects answers with its message. */
  answer(subject: string, handler: (question: unknown) => Promise<object>): () => void;
}
