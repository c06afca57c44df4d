import { hash } from "node:crypto";
import type { JetStreamClient, JetStreamManager } from "@nats-io/jetstream";
import { headers as makeHeaders } from "@nats-io/transport-node";
import { storeFailure } from "./jetstream-failure.ts";

export interface Entry {
  readonly headers: Readonly<Record<string, string>>;
  readonly payload: Uint8Array;
}

/** Named values in a stream that keeps the last message of each subject: positions, dead letters, documents. */
export class JetStreamState {
  readonly #stream: string;
  readonly #prefix: string;
  readonly #js: JetStreamClient;
  readonly #jsm: JetStreamManager;

  constructor(
    stream: string,
    prefix: string,
    clients: { readonly js: JetStreamClient; readonly jsm: JetStreamManager },
  ) {
    this.#stream = stream;
    this.#prefix = prefix;
    this.#js = clients.js;
    this.#jsm = clients.jsm;
  }

  /** Makes the stream or brings it in line. */
  async open(options: { readonly replicas: number; readonly maxAgeMs?: number }): Promise<void> {
    const config = {
      name: this.#stream,
      subjects: [`${this.#prefix}.>`],
      max_msgs_per_subject: 1,
      num_replicas: options.replicas,
      max_age: (options.maxAgeMs ?? 0) * 1e6,
      allow_direct: true,
      deny_delete: false,
    };
    try {
      await this.#jsm.streams.add(config);
    } catch (error) {
      // There with other settings.
      if ((error as { readonly code?: unknown }).code !== 10_058) throw error;
      await this.#jsm.streams.update(this.#stream, config);
    }
  }

  subject(...parts: readonly string[]): string {
    return [this.#prefix, ...parts].join(".");
  }

  /**
   * Resolves to the number of the message. With `after` it must be the next of its subject after that one (0: the first),
   * else it rejects with a {@link wrongLastSequence}.
   */
  async put(subject: string, { headers, payload }: Entry, after?: number): Promise<number> {
    const sent = makeHeaders();
    for (const [name, value] of Object.entries(headers)) sent.set(name, value);
    try {
      const expect = after === undefined ? {} : { expect: { lastSubjectSequence: after } };
      const { seq } = await this.#js.publish(subject, payload, { headers: sent, ...expect });
      return seq;
    } catch (error) {
      if (wrongLastSequence(error)) throw error;
      throw storeFailure(error);
    }
  }

  async get(subject: string): Promise<(Entry & { readonly seq: number }) | undefined> {
    const message = await this.#jsm.streams.getMessage(this.#stream, { last_by_subj: subject });
    if (!message) return undefined;
    const headers: Record<string, string> = {};
    for (const name of message.header?.keys() ?? []) headers[name.toLowerCase()] = message.header.get(name);
    return { headers, payload: message.data, seq: message.seq };
  }

  async remove(filter: string): Promise<void> {
    await this.#jsm.streams.purge(this.#stream, { filter });
  }

  /** Subjects that are there under a filter, unordered. */
  async subjects(filter: string): Promise<readonly string[]> {
    const info = await this.#jsm.streams.info(this.#stream, { subjects_filter: filter });
    return Object.keys(info.state.subjects ?? {});
  }
}

/** Whether somebody else wrote to the subject since. */
export const wrongLastSequence = (error: unknown): boolean => {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  return code === 10_071 || code === 10_164;
};

/** Names may hold anything; subjects may not. */
export const token = (text: string): string => hash("sha256", text, "base64url").slice(0, 22);
