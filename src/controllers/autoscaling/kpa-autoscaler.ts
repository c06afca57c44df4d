/**
 * The KPA: turns what routers report into numbers of instances. Load arrives through the {@link LoadSink}, decisions
 * are made here in memory, and a controller carries them out: the Deployment's scale, the PodAutoscaler's status and
 * its last decision. A revision at rest has no windows, no timer and no ticks.
 */
import type { PodAutoscaler } from "../../api/autoscaling-internal/types.gen.ts";
import { DeploymentKind } from "../../api/apps/kinds.ts";
import type { Deployment } from "../../api/apps/types.gen.ts";
import type { Client } from "../../client/client.ts";
import type { Clock } from "../../client/clock.ts";
import type { ControllerQueue } from "../../client/controller.ts";
import type { Informer, Informers } from "../../client/informer.ts";
import { compileKpaSpec } from "../../scaling/kpa-spec.ts";
import { meetDemand, tickMs } from "../../scaling/kpa.ts";
import type { LoadSample } from "../../scaling/load.ts";
import type { LoadHistory } from "../../scaling/load-wire.ts";
import { describeProblem } from "../../scaling/setting.ts";
import type { Logger } from "../../telemetry/logger.ts";
import { settingsReader, type AutoscalerSettings } from "./autoscaler-settings.ts";
import { recordIsDue } from "./last-decision.ts";
import { EdgeLine } from "./edge-line.ts";
import type { Launcher } from "./launcher.ts";
import type { LoadSink } from "./load-server.ts";
import type { LostInstances } from "./lost-instances.ts";
import { podCounter, type PodCounts } from "./revision-pods.ts";
import {
  createScaler,
  evaluate,
  isAtRest,
  openWindows,
  recordSilence,
  replicasFor,
  takeSample,
  remember,
  updateScaler,
  type LoadView,
  type RevisionScaler,
} from "./revision-scaler.ts";

export interface KpaDeps {
  readonly client: Client;
  readonly informers: Informers;
  readonly clock: Clock;
  readonly log: Logger;
  /** Starts instances ahead of their pods; absent where nothing can. */
  readonly launcher?: Launcher;
  /** Since when a router holds requests that find no instance. Default: always. */
  readonly routerInPathSinceMs?: number;
  /**
   * Whether all load is reported here, so that silence means that there is none. Default: always. While it is not, an
   * instance that is there stays, and one that somebody waits for is started.
   */
  readonly seesAll?: () => boolean;
  /** Instances that routers cannot reach; absent where they are on the router's own machine. */
  readonly lost?: LostInstances;
}

/** Revisions that waited, or had load, before their PodAutoscaler was known; more than this are forgotten. */
const maxEarly = 10_000;

/** The scalers of all revisions of class kpa. Opened by `start`, closed by `close`. */
export class KpaAutoscaler implements LoadSink {
  readonly #deps: KpaDeps;
  readonly #deployments: Informer<Deployment>;
  readonly #countPods: (revision: string) => PodCounts;
  readonly #settings: () => AutoscalerSettings;
  readonly #scalers = new Map<string, RevisionScaler>();
  /** What {@link #compiled} of each scaler was made from. */
  readonly #sources = new WeakMap<
    RevisionScaler,
    { readonly pa: PodAutoscaler; readonly settings: AutoscalerSettings }
  >();
  readonly #active = new Set<RevisionScaler>();
  readonly #earlyDemand = new Map<string, number>();
  readonly #earlyHistory = new Map<string, LoadHistory[]>();
  readonly #edges: EdgeLine;
  #queue: ControllerQueue | undefined;
  #cancelTick: (() => void) | undefined;

  constructor(deps: KpaDeps) {
    this.#deps = deps;
    this.#deployments = deps.informers.of(DeploymentKind);
    const { lost } = deps;
    this.#countPods = podCounter(deps.informers, lost && ((uid) => lost.isLost(uid)));
    lost?.onChange(({ revision }) => this.#recount(revision));
    this.#settings = settingsReader(deps.informers, deps.log);
    this.#edges = new EdgeLine({
      clock: deps.clock,
      busy: () => deps.launcher?.isBusy() ?? false,
      write: (revision) => this.#queue?.add(revision),
    });
  }

  /** Decisions that ask for action put their PodAutoscaler on this queue. */
  start(queue: ControllerQueue, signal: AbortSignal): void {
    this.#queue = queue;
    signal.addEventListener("abort", () => this.close(), { once: true });
  }

  close(): void {
    this.#cancelTick?.();
    this.#cancelTick = undefined;
    this.#active.clear();
    this.#edges.close();
    this.#queue = undefined;
  }

  /** Revisions that are ticked now. */
  get activeCount(): number {
    return this.#active.size;
  }

  demand(revision: string, waiting: number, nowMs: number, ready: number): void {
    const scaler = this.#scalers.get(revision);
    if (!scaler) {
      if (this.#earlyDemand.size < maxEarly) this.#earlyDemand.set(revision, waiting);
      return;
    }
    this.#wake(scaler, nowMs);
    // With an instance there the averages decide: a queue that empties in a millisecond is no reason for another one.
    // Only the router knows: pods show a moment later that an instance goes, and a request would wait for the next tick.
    if (ready > 0) return;
    const state = meetDemand(scaler.spec, scaler.state, waiting, nowMs);
    if (state === scaler.state) return;
    scaler.state = state;
    scaler.edgeMs = nowMs;
    const { desired } = evaluate(scaler, this.#viewOf(scaler), nowMs);
    if (this.#startAhead(scaler, desired)) this.#edges.add(revision);
    else this.#act(revision);
  }

  /** Has a decision written down without delay. */
  #act(revision: string): void {
    this.#edges.remove(revision);
    this.#queue?.add(revision);
  }

  samples(samples: readonly LoadSample[], nowMs: number): void {
    for (const sample of samples) {
      const scaler = this.#scalers.get(sample.revision);
      if (!scaler) continue;
      if (!this.#active.has(scaler)) {
        if (sample.averageConcurrency === 0 && sample.requestCount === 0) continue;
        this.#wake(scaler, nowMs);
      }
      takeSample(scaler, sample, nowMs);
      // Requests are waiting: do not leave them until the next tick.
      if (sample.queued > 0) this.#decide(scaler, nowMs);
    }
  }

  /** Instances were lost, or are back: others are started in their place, with room for them where pods are counted. */
  #recount(revision: string): void {
    const scaler = this.#scalers.get(revision);
    if (!scaler) return;
    scaler.lostPods = this.#countPods(revision).lost;
    const nowMs = this.#deps.clock.steadyMs();
    this.#wake(scaler, nowMs);
    const { desired } = evaluate(scaler, this.#viewOf(scaler), nowMs);
    if (scaler.lostPods > 0) this.#startAhead(scaler, desired);
    this.#act(revision);
  }

  remember(history: readonly LoadHistory[], nowMs: number): void {
    for (const one of history) {
      const scaler = this.#scalers.get(one.revision);
      if (scaler) this.#remember(scaler, one, nowMs);
      else if (this.#earlyHistory.size < maxEarly)
        this.#earlyHistory.set(one.revision, [...(this.#earlyHistory.get(one.revision) ?? []), one]);
    }
  }

  #remember(scaler: RevisionScaler, history: LoadHistory, nowMs: number): void {
    this.#wake(scaler, nowMs);
    remember(scaler, history, nowMs);
  }

  wantsSamples(revision: string): boolean {
    const scaler = this.#scalers.get(revision);
    return scaler !== undefined && this.#active.has(scaler);
  }

  get(revision: string): RevisionScaler | undefined {
    return this.#scalers.get(revision);
  }

  all(): Iterable<RevisionScaler> {
    return this.#scalers.values();
  }

  podsOf(revision: string): PodCounts {
    return this.#countPods(revision);
  }

  deploymentOf({ metadata, spec }: PodAutoscaler): Deployment | undefined {
    return this.#deployments.get(`${metadata.namespace}/${spec.scaleTargetRef.name}`);
  }

  /** The scaler of a PodAutoscaler as it is now, made when it is new, with a decision that knows the present state. */
  observe(pa: PodAutoscaler, pods: PodCounts): RevisionScaler {
    const nowMs = this.#deps.clock.steadyMs();
    const now = { steadyMs: nowMs, dayMs: this.#deps.clock.now() };
    const key = `${pa.metadata.namespace}/${pa.metadata.name}`;
    let scaler = this.#scalers.get(key);
    const settings = this.#settings();
    const source = scaler && this.#sources.get(scaler);
    const sameSource =
      source?.settings === settings &&
      source.pa.metadata.annotations === pa.metadata.annotations &&
      source.pa.spec.containerConcurrency === pa.spec.containerConcurrency;
    const spec = scaler && sameSource ? scaler.spec : this.#compile(pa, settings);
    const samePods = scaler?.readyPods === pods.ready && scaler.lostPods === pods.lost;
    const changed = !scaler || scaler.pa !== pa || scaler.spec !== spec || !samePods;
    if (scaler) updateScaler(scaler, pa, spec, now);
    else this.#scalers.set(key, (scaler = createScaler(pa, spec, pods.ready, now)));
    this.#sources.set(scaler, { pa, settings });
    scaler.readyPods = pods.ready;
    scaler.lostPods = pods.lost;
    const waiting = this.#earlyDemand.get(key);
    if (waiting !== undefined) {
      this.#earlyDemand.delete(key);
      this.demand(key, waiting, nowMs, 0);
    }
    for (const history of this.#earlyHistory.get(key) ?? []) this.#remember(scaler, history, nowMs);
    this.#earlyHistory.delete(key);
    if (changed || !scaler.decision) evaluate(scaler, this.#viewOf(scaler), nowMs);
    if (this.isAtRest(scaler)) this.#rest(scaler);
    else this.#wake(scaler, nowMs);
    return scaler;
  }

  isAtRest(scaler: RevisionScaler): boolean {
    return isAtRest(scaler, this.#replicasOf(scaler));
  }

  forget(revision: string): void {
    const scaler = this.#scalers.get(revision);
    this.#earlyDemand.delete(revision);
    this.#earlyHistory.delete(revision);
    this.#edges.remove(revision);
    if (!scaler) return;
    this.#scalers.delete(revision);
    this.#active.delete(scaler);
  }

  /** Of a revision without replicas all is known: what waits for it is told at once. */
  #viewOf(scaler: RevisionScaler): LoadView {
    return {
      seesAll: this.#deps.seesAll === undefined || this.#replicasOf(scaler) === 0 || this.#deps.seesAll(),
      routerInPathSinceMs: this.#deps.routerInPathSinceMs ?? Number.NEGATIVE_INFINITY,
    };
  }

  #compile(pa: PodAutoscaler, { config, progressDeadlineMs }: AutoscalerSettings): RevisionScaler["spec"] {
    const { spec, problems } = compileKpaSpec({
      annotations: pa.metadata.annotations ?? {},
      config,
      progressDeadlineMs,
      ...(pa.spec.containerConcurrency === undefined ? {} : { containerConcurrency: pa.spec.containerConcurrency }),
    });
    for (const problem of problems) {
      this.#deps.log.warn("an autoscaling annotation is not usable, the cluster's setting stands in", {
        podAutoscaler: `${pa.metadata.namespace}/${pa.metadata.name}`,
        problem: describeProblem(problem),
      });
    }
    return spec;
  }

  /** Whether somebody starts them. */
  #startAhead({ key, pa }: RevisionScaler, count: number): boolean {
    const template = this.deploymentOf(pa)?.spec.template;
    if (!template || count <= 0 || !this.#deps.launcher) return false;
    return this.#deps.launcher.startAhead({ revision: key, namespace: pa.metadata.namespace ?? "", template, count });
  }

  #replicasOf({ facts }: RevisionScaler): number {
    return this.#deployments.get(facts.deployment)?.spec.replicas ?? 1;
  }

  #wake(scaler: RevisionScaler, nowMs: number): void {
    openWindows(scaler, nowMs);
    this.#active.add(scaler);
    this.#cancelTick ??= this.#deps.clock.after(tickMs, () => this.#tick());
  }

  #tick(): void {
    const nowMs = this.#deps.clock.steadyMs();
    this.#cancelTick = this.#deps.clock.after(tickMs, () => this.#tick());
    for (const scaler of this.#active) {
      if (this.#viewOf(scaler).seesAll) recordSilence(scaler, nowMs);
      this.#decide(scaler, nowMs);
    }
    if (this.#active.size > 0) return;
    this.#cancelTick();
    this.#cancelTick = undefined;
  }

  #decide(scaler: RevisionScaler, nowMs: number): void {
    const { desired, apply } = evaluate(scaler, this.#viewOf(scaler), nowMs);
    const { facts, pa, key } = scaler;
    const replicas = this.#replicasOf(scaler);
    const news = desired !== pa.status?.desiredScale || (desired === 0 && facts.activity.phase === "active");
    const toApply = apply && desired >= 0 && replicas !== replicasFor(scaler, desired);
    const resting = isAtRest(scaler, replicas);
    if ((news || toApply || recordIsDue(scaler, resting, this.#deps.clock.now())) && !this.#edges.has(key))
      this.#act(key);
    if (resting) this.#rest(scaler);
  }

  #rest(scaler: RevisionScaler): void {
    this.#active.delete(scaler);
    scaler.windows = undefined;
    scaler.rested = true;
  }
}
