import { PodKind } from "../api/core/kinds.ts";
import { keyOf } from "../api/meta/object.ts";
import type { Probe } from "../api/core/types.gen.ts";
import { RevisionKind } from "../api/serving/kinds.ts";
import type { Revision } from "../api/serving/types.gen.ts";
import type { Informers } from "../client/informer.ts";
import type { InstanceEvent, StartFailure } from "./instance.ts";
import { readPod, type PodFacts } from "./pod-facts.ts";
import type { ProbeOnce } from "./readiness-probe.ts";
import type { RouterClock } from "./router-clock.ts";

export interface PodInstancesDeps {
  readonly informers: Informers;
  readonly probe: ProbeOnce;
  readonly clock: Pick<RouterClock, "nowMs" | "after">;
  readonly onInstance: (event: InstanceEvent) => void;
  readonly onStartFailure: (failure: StartFailure) => void;
}

/**
 * The instances of Revisions, from their Pods: each takes requests as soon as a probe of the router's own says it can,
 * which is before its kubelet, the API server and the EndpointSlice controller have said so to one another; it takes none
 * from the moment its Pod is being deleted. Returns what ends it.
 */
export function followPods(deps: PodInstancesDeps): () => void {
  const pods = new Map<string, PodInstance>();
  const failures = new Map<string, Map<string, string>>();
  const fail = (key: string, revision: string, failure: string | undefined): void =>
    noteFailure(failures, { key, revision, failure }, deps.onStartFailure);
  const stopPods = deps.informers.of(PodKind).onChange(({ type, object }) => {
    const key = keyOf(object.metadata);
    const facts = type === "deleted" ? undefined : readPod(object);
    const known = pods.get(key);
    if (facts === undefined || facts.hasEnded) {
      pods.delete(key);
      known?.gone();
      if (known !== undefined) fail(key, known.revision, undefined);
      return;
    }
    const pod = known ?? new PodInstance(deps, facts);
    if (known === undefined) pods.set(key, pod);
    pod.update(facts);
    fail(key, facts.revision, facts.isEnding ? undefined : facts.failure);
  });
  const stopRevisions = deps.informers.of(RevisionKind).onChange(({ type, object }) => {
    if (type !== "added") return;
    const revision = keyOf(object.metadata);
    for (const pod of pods.values()) if (pod.revision === revision) pod.tell();
  });
  return () => {
    stopPods();
    stopRevisions();
    for (const pod of pods.values()) pod.stop();
  };
}

/** A revision has failed to start while one of its pods has; which of several is told makes no difference. */
function noteFailure(
  failures: Map<string, Map<string, string>>,
  { key, revision, failure }: { readonly key: string; readonly revision: string; readonly failure: string | undefined },
  onStartFailure: (failure: StartFailure) => void,
): void {
  const byPod = failures.get(revision) ?? new Map<string, string>();
  if (byPod.get(key) === failure) return;
  if (failure === undefined) byPod.delete(key);
  else byPod.set(key, failure);
  if (byPod.size === 0) failures.delete(revision);
  else failures.set(revision, byPod);
  onStartFailure({ revision, reason: failure ?? byPod.values().next().value });
}

/** How long after the last try the next one begins: what an instance may be late by, and what a slow one may cost. */
function pauseMs(triedForMs: number): number {
  if (triedForMs < 10_000) return 10;
  return triedForMs < 60_000 ? 50 : 200;
}

/**
 * | Pod | instance |
 * |---|---|
 * | being deleted | `draining` |
 * | Ready, or probed with success and never Ready since its containers started | `ready` |
 * | was Ready, is not | `unready`, until it is again, or a container starts anew |
 * | gone, or ended | `gone` |
 */
class PodInstance {
  readonly #deps: PodInstancesDeps;
  #facts: PodFacts;
  /** Its kubelet has said Ready since the last start of a container: from then on the kubelet's word counts. */
  #wasReady = false;
  #probed = false;
  #said: InstanceEvent | undefined;
  #stopProbing: (() => void) | undefined;

  constructor(deps: PodInstancesDeps, facts: PodFacts) {
    this.#deps = deps;
    this.#facts = facts;
  }

  get revision(): string {
    return this.#facts.revision;
  }

  update(facts: PodFacts): void {
    if (facts.restarts !== this.#facts.restarts || facts.uid !== this.#facts.uid) {
      this.#wasReady = false;
      this.#probed = false;
    }
    if (facts.isReady) this.#wasReady = true;
    this.#facts = facts;
    this.tell();
    const { host, isEnding, probes } = facts;
    if (isEnding || this.#wasReady) this.stop();
    else if (host !== "" && probes !== undefined && !this.#probed) this.#startProbing(host, probes);
  }

  /** Passes on what is new about it. */
  tell(): void {
    const { uid, revision, host, port, node } = this.#facts;
    const type = this.#type();
    if (type === undefined || (this.#said === undefined && type !== "ready")) return;
    const protocol = protocolOf(this.#deps.informers.of(RevisionKind).get(revision));
    const { type: before, address, protocol: spoken } = this.#said ?? {};
    if (before === type && address?.host === host && address.port === port && spoken === protocol) return;
    this.#said = { type, revision, id: uid, address: { host, port }, protocol, ...(node === "" ? {} : { node }) };
    this.#deps.onInstance(this.#said);
  }

  #type(): InstanceEvent["type"] | undefined {
    const { host, isEnding, isReady } = this.#facts;
    if (host === "") return undefined;
    if (isEnding) return "draining";
    if (isReady || (this.#probed && !this.#wasReady)) return "ready";
    return "unready";
  }

  #startProbing(host: string, probes: readonly Probe[]): void {
    if (this.#stopProbing !== undefined) return;
    const { clock, probe } = this.#deps;
    const startedMs = clock.nowMs();
    let stopped = false;
    let cancel = (): void => undefined;
    this.#stopProbing = () => {
      stopped = true;
      cancel();
    };
    let at = 0;
    let successes = 0;
    const look = async (): Promise<void> => {
      const current = probes[at];
      if (current === undefined) return;
      successes = (await probe(host, current)) ? successes + 1 : 0;
      if (stopped) return;
      if (successes >= (current.successThreshold || 1)) {
        successes = 0;
        if (++at === probes.length) {
          this.#probed = true;
          this.stop();
          this.tell();
          return;
        }
      }
      cancel = clock.after(successes > 0 ? 0 : pauseMs(clock.nowMs() - startedMs), () => void look());
    };
    const delayMs = Math.max(...probes.map(({ initialDelaySeconds = 0 }) => initialDelaySeconds * 1000));
    if (delayMs > 0) cancel = clock.after(delayMs, () => void look());
    else void look();
  }

  stop(): void {
    this.#stopProbing?.();
    this.#stopProbing = undefined;
  }

  gone(): void {
    this.stop();
    const said = this.#said;
    this.#said = undefined;
    if (said !== undefined) this.#deps.onInstance({ ...said, type: "gone" });
  }
}

/** The name of the port of the container that takes requests says what it speaks (runtime contract). */
function protocolOf(revision: Revision | undefined): InstanceEvent["protocol"] {
  return revision?.spec.containers.some(({ ports = [] }) => ports[0]?.name === "h2c") ? "h2c" : "http1";
}
