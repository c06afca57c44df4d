import type { Container, Pod } from "../../api/core/types.gen.ts";
import type { Clock } from "../../client/clock.ts";
import type { InstanceHub, InstanceTracker } from "../instances/instance-hub.ts";
import type { NetAddress, RunningContainer } from "../runtime.ts";
import type { ContainerView } from "./container-view.ts";
import { failureOf } from "./failure.ts";
import { assumedPort, protocolOf, revisionOf, servingPort } from "./serving.ts";

export interface ServingSideDeps {
  readonly clock: Clock;
  readonly hub: InstanceHub;
  /** Makes a port of the pod's address lead to where its program listens; returns the end of that. */
  readonly relay: (listen: NetAddress, target: () => NetAddress | undefined) => () => void;
  /** Resolves when an instance has no request in flight any more. */
  readonly beforeTerminate: (instanceId: string) => Promise<void>;
  /** Why a revision has no instance, in one line; undefined clears it. */
  readonly onFailure: (revision: string, reason: string | undefined) => void;
}

/** A while after readiness: nothing of the relay may stand in the way of the request that woke the instance. */
const relayAfterMs = 50;

/** A program that may or may not listen on PORT is looked at this often, for so long. */
const lookEveryMs = 1_000;
const looks = 60;

/** What the world that sends requests learns of a pod's serving container: instances, the pod's own port, failures. */
export class ServingSide {
  readonly #deps: ServingSideDeps;
  readonly #container: Container;
  readonly #podIP: string;
  readonly #revision: string | undefined;
  #tracker: InstanceTracker | undefined;
  #address: () => NetAddress | undefined = () => undefined;
  #toldFailure: string | undefined;
  #closeRelay: (() => void) | undefined;
  #ending = false;
  #listens = false;

  constructor(
    deps: ServingSideDeps,
    container: Container,
    { pod, podIP }: { readonly pod: Pod; readonly podIP: string },
  ) {
    this.#deps = deps;
    this.#container = container;
    this.#podIP = podIP;
    this.#revision = revisionOf(pod.metadata.namespace ?? "", pod.metadata);
  }

  /** Whether connections to the pod's port are to go to the program's own: always, if a port was declared. */
  get listens(): boolean {
    return this.#listens || servingPort(this.#container) !== undefined;
  }

  /** Each start; `tracker` comes with an instance that was started ahead. */
  launched(running: RunningContainer, tracker?: InstanceTracker): void {
    this.#address = () => running.address;
    if (this.#revision === undefined) return;
    const facts = { id: running.id, revision: this.#revision, protocol: protocolOf(this.#container) };
    const own = (this.#tracker = tracker ?? this.#deps.hub.track(facts));
    void running.exited.then(() => own.gone());
  }

  ready(running: RunningContainer, ready: boolean): void {
    if (this.#tracker?.id === running.id) {
      if (ready && running.address) this.#tracker.ready(running.address);
      else this.#tracker.unready();
    }
    if (!ready || this.#ending) return;
    if (this.listens) this.#openRelay();
    else this.#look(running, looks);
  }

  /** Callers waiting for this revision are told what its owner would read in the pod's status. */
  changed(view: ContainerView): void {
    if (this.#revision === undefined || this.#ending) return;
    const reason = view.ready ? undefined : failureOf(view);
    // Not failing any more is not serving yet.
    if (reason === this.#toldFailure || (reason === undefined && !view.ready)) return;
    this.#toldFailure = reason;
    this.#deps.onFailure(this.#revision, reason);
  }

  /** Lets the router take the instance out and its requests end, within the grace period; none with no grace. */
  async end(graceMs: number): Promise<void> {
    this.#ending = true;
    this.#closeRelay?.();
    const tracker = this.#tracker;
    if (!tracker || graceMs <= 0) return;
    tracker.draining();
    const timeout = Promise.withResolvers<void>();
    const cancel = this.#deps.clock.after(graceMs, timeout.resolve);
    await Promise.race([this.#deps.beforeTerminate(tracker.id), timeout.promise]);
    cancel();
  }

  /** A program that listens on 8080 by itself must find it free, so the relay there waits for one that took PORT. */
  #look(running: RunningContainer, left: number): void {
    const { address } = running;
    if (!address || left === 0 || this.#ending || this.#address()?.port !== address.port) return;
    void running.listeningPorts().then((ports) => {
      this.#listens ||= ports === undefined || ports.includes(address.port);
      if (this.#listens && !this.#ending) this.#openRelay();
      else this.#deps.clock.after(lookEveryMs, () => this.#look(running, left - 1));
    });
  }

  #openRelay(): void {
    const port = servingPort(this.#container)?.containerPort ?? assumedPort;
    // Where pods have networks of their own, the pod's address needs no help.
    const shared = this.#address()?.host === "127.0.0.1";
    if (this.#closeRelay || this.#podIP === "127.0.0.1" || !shared) return;
    this.#closeRelay = this.#deps.clock.after(relayAfterMs, () => {
      this.#closeRelay = this.#deps.relay({ host: this.#podIP, port }, () => this.#address());
    });
  }
}
