import type { Pod } from "../../api/core/types.gen.ts";
import type { Clock } from "../../client/clock.ts";
import type { ReviewToken } from "../../client/review-token.ts";
import type { ShownHost } from "../../functions/pool/remote-host.ts";
import type { Logger } from "../../telemetry/logger.ts";

/** Fingerprints of the certificates of waiting hosts, by the uids of their pods. */
export type HostRecord = Readonly<Record<string, string>>;

export interface KnownHostsDeps {
  /** Asks about tokens for the audience of waiting hosts. */
  readonly review: ReviewToken;
  readonly store: {
    read(): Promise<HostRecord>;
    write(record: HostRecord): Promise<void>;
  };
  readonly clock: Clock;
  readonly log: Logger;
}

/** What is learnt within this time is written at once. */
const writeAfterMs = 1_000;
const writeAgainMs = 10_000;

/**
 * Which host is which pod's. A pod is believed once, by the token that its node gave it; from then on by the key that it
 * showed then. The token lies in the pod for as long as that lives, where the function that a claim brings can read it:
 * so it must not make a waiting host of one that was claimed, neither for this leader nor for the next, who finds the
 * keys written down. Pods that nobody wrote down are believed by whoever made them, and by nobody else.
 */
export class KnownHosts {
  readonly #deps: KnownHostsDeps;
  readonly #fingerprints = new Map<string, string>();
  #cancel: (() => void) | undefined;
  #closed = false;

  constructor(deps: KnownHostsDeps) {
    this.#deps = deps;
  }

  /** Reads what the leader before has learnt. */
  async open(): Promise<void> {
    for (const [uid, fingerprint] of Object.entries(await this.#deps.store.read()))
      this.#fingerprints.set(uid, fingerprint);
  }

  /** Rejects when what is shown is not of this pod. `isOurs`: this process made the pod. */
  async believe(pod: Pod, isOurs: boolean, { fingerprint, token }: ShownHost): Promise<void> {
    const { uid = "", name } = pod.metadata;
    const known = this.#fingerprints.get(uid);
    if (known === undefined && !isOurs) throw new Error(`nobody knows the key of the host in pod ${name}`);
    if (known === undefined) {
      const user = await this.#deps.review(token);
      if (user?.podUid !== uid) throw new Error(`what answers for pod ${name} has no token of this pod`);
    }
    // Two connections may have been on their way.
    const first = this.#fingerprints.get(uid) ?? fingerprint;
    if (first !== fingerprint) throw new Error(`what answers for pod ${name} is not the host that it was`);
    if (this.#fingerprints.has(uid)) return;
    this.#fingerprints.set(uid, fingerprint);
    this.#writeLater(writeAfterMs);
  }

  /** The pod is gone, or waits no longer. */
  forget(uid: string): void {
    if (this.#fingerprints.delete(uid)) this.#writeLater(writeAfterMs);
  }

  /** Forgets all but these. */
  keep(uids: ReadonlySet<string>): void {
    for (const uid of this.#fingerprints.keys()) if (!uids.has(uid)) this.forget(uid);
  }

  close(): void {
    this.#closed = true;
    this.#cancel?.();
  }

  #writeLater(ms: number): void {
    if (this.#closed) return;
    this.#cancel ??= this.#deps.clock.after(ms, () => {
      this.#cancel = undefined;
      this.#deps.store.write(Object.fromEntries(this.#fingerprints)).catch((error: unknown) => {
        if (this.#closed) return;
        this.#deps.log.warn("the keys of waiting pods could not be written down", { err: error });
        this.#writeLater(writeAgainMs);
      });
    });
  }
}
