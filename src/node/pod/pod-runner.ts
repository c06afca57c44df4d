import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Container, Pod, PodStatus } from "../../api/core/types.gen.ts";
import type { Logger } from "../../telemetry/logger.ts";
import { resolveEnv, type EnvSources } from "../env/container-env.ts";
import type { PodPlace } from "../env/field-ref.ts";
import type { InstanceTracker } from "../instances/instance-hub.ts";
import { createLogFile, removeLog } from "../logs/log-file.ts";
import { ContainerStartError, type ContainerRuntime, type NetAddress, type PodNetwork } from "../runtime.ts";
import type { PodVolumes } from "../volumes/pod-volumes.ts";
import { ContainerRunner, seconds, type Launched } from "./container-runner.ts";
import { makeContainerStart } from "./container-start.ts";
import { isSidecar, makePodStatus, type PodFacts } from "./pod-status.ts";
import { assumedPort, servingContainer, servingPort, undeclaredServer } from "./serving.ts";
import { ServingSide, type ServingSideDeps } from "./serving-side.ts";

/** An instance that runs already and waits for its pod. */
export interface AheadOfPod extends Launched {
  readonly tracker: InstanceTracker;
  readonly network: PodNetwork | undefined;
}

export interface PodRunnerDeps extends ServingSideDeps {
  readonly runtime: ContainerRuntime;
  readonly log: Logger;
  readonly env: EnvSources;
  /** Hands over an instance started ahead for this pod's revision, if one waits. */
  readonly adopt: (pod: Pod) => Promise<AheadOfPod | undefined>;
  readonly event: (pod: Pod, type: "Normal" | "Warning", reason: string, message: string, container?: string) => void;
  readonly onStatus: (status: PodStatus) => void;
  readonly volumes: (pod: Pod, place: PodPlace) => PodVolumes;
  readonly newId: () => string;
}

export interface PodRunnerOptions {
  readonly podIP: string;
  readonly hostIP: string;
  /** Holds `run/<container id>` and, per pod, logs. */
  readonly runDir: string;
  readonly logDir: string;
}

/** Runs one pod: its containers in order, their health, and what its status says of them. */
export class PodRunner {
  readonly #deps: PodRunnerDeps;
  readonly #options: PodRunnerOptions;
  #pod: Pod;
  readonly #startedMs: number;
  readonly #containers: readonly ContainerRunner[];
  readonly #initContainers: readonly ContainerRunner[];
  readonly #serving: Container | undefined;
  readonly #volumes: PodVolumes;
  /** Undefined in itself while not asked for; shared by all containers. */
  #prepared: Promise<PodNetwork | undefined> | undefined;
  #network: PodNetwork | undefined;
  #end: PodFacts["end"];
  #reporting = false;
  #stopping: Promise<void> | undefined;
  readonly #servingSide: ServingSide | undefined;
  #cancelDeadline: (() => void) | undefined;
  /** Until its serving container was started once, an instance started ahead may take that place. */
  #adoptable = true;

  constructor(deps: PodRunnerDeps, options: PodRunnerOptions, pod: Pod) {
    this.#deps = deps;
    this.#options = options;
    this.#pod = pod;
    this.#startedMs = deps.clock.now();
    this.#serving = servingContainer(pod.spec.containers) ?? undeclaredServer(pod.spec);
    this.#servingSide = this.#serving && new ServingSide(deps, this.#serving, { pod, podIP: options.podIP });
    this.#volumes = deps.volumes(pod, this.#place);
    const init = pod.spec.initContainers ?? [];
    const waiting = init.length > 0 ? "PodInitializing" : "ContainerCreating";
    this.#initContainers = init.map((container) => this.#makeRunner(container, waiting));
    this.#containers = pod.spec.containers.map((container) => this.#makeRunner(container, waiting));
  }

  /** Where the pod is, once that is settled: volumes and variables show it. */
  get #place(): PodPlace {
    const address = (): string => this.#network?.ip ?? this.#options.podIP;
    return {
      hostIP: this.#options.hostIP,
      get podIP() {
        return address();
      },
    };
  }

  /** Starts everything; returns at once. */
  start(): void {
    this.#report();
    this.#watchDeadline();
    void this.#run().catch((error: unknown) =>
      this.#deps.log.error("pod could not be run", { err: error, pod: this.#title() }),
    );
  }

  /** The pod as last seen in the API: labels, annotations and some of spec may change. */
  update(pod: Pod): void {
    const { labels, annotations } = this.#pod.metadata;
    this.#pod = pod;
    // The downward API shows them; objects are shared, so what is the same is the same object nearly always.
    if (labels !== pod.metadata.labels || annotations !== pod.metadata.annotations) void this.refreshVolumes();
  }

  /**
   * Ends the pod: no new requests, those in flight finish, then each container by its grace; sidecars last, in
   * reverse. Resolves when nothing of it runs. A second call with less time shortens the first.
   */
  stop(graceMs: number): Promise<void> {
    if (this.#stopping && graceMs <= 0) {
      for (const runner of [...this.#containers, ...this.#initContainers]) runner.running?.signal("SIGKILL");
    }
    this.#stopping ??= this.#stop(graceMs);
    return this.#stopping;
  }

  /** Takes away what the pod had on disk; after stop, when it is gone from the API or about to be. */
  async remove(): Promise<void> {
    for (const runner of this.containers) await runner.logFile?.close();
    await rm(this.#podLogDir(), { recursive: true, force: true });
    await this.#volumes.remove();
  }

  #podLogDir(): string {
    const { namespace, name, uid } = this.#pod.metadata;
    return join(this.#options.logDir, `${namespace}_${name}_${uid}`);
  }

  async refreshVolumes(): Promise<void> {
    try {
      await this.#volumes.refresh(this.#pod);
    } catch (error) {
      // What was shown before stays; the next round tries again.
      this.#deps.log.debug("pod volumes not refreshed", { err: error, pod: this.#title() });
    }
  }

  /** The container of that name, if it runs or ran. */
  container(name: string): ContainerRunner | undefined {
    return [...this.#containers, ...this.#initContainers].find((runner) => runner.view.name === name);
  }

  get containers(): readonly ContainerRunner[] {
    return [...this.#initContainers, ...this.#containers];
  }

  /** activeDeadlineSeconds counts from the pod's start, also over restarts of the agent. */
  #watchDeadline(): void {
    const seconds = this.#pod.spec.activeDeadlineSeconds;
    if (seconds === undefined) return;
    const startedMs = Date.parse(this.#pod.status?.startTime ?? "") || this.#startedMs;
    this.#cancelDeadline = this.#deps.clock.after(startedMs + seconds * 1000 - this.#deps.clock.now(), () => {
      const message = "Pod was active on the node longer than the specified deadline";
      this.#end = { phase: "Failed", reason: "DeadlineExceeded", message };
      this.#deps.event(this.#pod, "Normal", "DeadlineExceeded", message);
      void this.stop(this.#graceMs());
    });
  }

  async #run(): Promise<void> {
    for (const [at, runner] of this.#initContainers.entries()) {
      if (this.#stopping) return;
      if (isSidecar(this.#pod, runner.view.name)) await this.#startSidecar(runner);
      else await runner.run();
      const { over, state } = runner.view;
      if (over && state.terminated?.exitCode !== 0) return this.#initFailed(at);
    }
    if (this.#stopping) return;
    const runs = this.#containers.map((runner) => runner.run());
    await Promise.all(runs);
    for (const runner of this.#initContainers.toReversed()) await runner.stop(this.#graceMs());
    await this.#network?.close();
  }

  /** Images and network, before the first container; what went wrong is tried again with the next start. */
  async #prepare(): Promise<PodNetwork | undefined> {
    this.#prepared ??= this.#deps.runtime
      .prepare(
        this.#pod.spec,
        (reason, message, container) => this.#deps.event(this.#pod, "Normal", reason, message, container),
        this.#pod.metadata.namespace ?? "",
      )
      .catch((error: unknown) => {
        this.#prepared = undefined;
        throw error;
      });
    this.#network = await this.#prepared;
    return this.#network;
  }

  /** A sidecar is up once started; the next container then follows. */
  async #startSidecar(runner: ContainerRunner): Promise<void> {
    void runner.run();
    await this.#until(() => runner.view.started || runner.view.over || this.#stopping !== undefined);
  }

  async #initFailed(at: number): Promise<void> {
    for (const runner of this.#initContainers.slice(0, at).toReversed()) await runner.stop(this.#graceMs());
    for (const runner of this.#containers) await runner.stop(0);
  }

  readonly #waiters = new Set<() => void>();

  #until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = (): void => {
        if (!condition()) return;
        this.#waiters.delete(check);
        resolve();
      };
      this.#waiters.add(check);
      check();
    });
  }

  #makeRunner(container: Container, waiting: string): ContainerRunner {
    const serving = container === this.#serving;
    const init = this.#pod.spec.initContainers?.includes(container) ?? false;
    const policy =
      init && container.restartPolicy !== "Always" && this.#pod.spec.restartPolicy !== "Never"
        ? "OnFailure"
        : (container.restartPolicy ?? this.#pod.spec.restartPolicy ?? "Always");
    const { containerStatuses = [], initContainerStatuses = [] } = this.#pod.status ?? {};
    const known = (init ? initContainerStatuses : containerStatuses).find((status) => status.name === container.name);
    return new ContainerRunner(
      {
        clock: this.#deps.clock,
        log: this.#deps.log,
        launch: (restart) => this.#launch(container, serving, restart),
        locate: (port) => this.locate(port),
        event: (type, reason, message) => this.#deps.event(this.#pod, type, reason, message, container.name),
        onChange: () => {
          const view = serving ? this.#servingRunner()?.view : undefined;
          if (view) this.#servingSide?.changed(view);
          this.#report();
        },
        ...(serving ? { onReady: (running, ready) => this.#servingSide?.ready(running, ready) } : {}),
      },
      {
        container,
        restartPolicy: policy,
        serving: serving && servingPort(container) !== undefined,
        containerIdScheme: this.#deps.runtime.name,
        graceMs: this.#graceMs(),
        ...(known ? { known } : {}),
      },
      waiting,
    );
  }

  async #launch(container: Container, serving: boolean, restart: number): Promise<Launched> {
    const logPath = this.logPath(container.name, restart);
    // What `logs --previous` reads stays; a container that crashes for days leaves no more than that.
    if (restart >= 2) void removeLog(this.logPath(container.name, restart - 2)).catch(() => undefined);
    const first = this.#adoptable;
    this.#adoptable = this.#adoptable && !serving;
    const ahead = serving && first ? await this.#deps.adopt(this.#pod) : undefined;
    if (ahead) {
      this.#network = ahead.network;
      this.#prepared = Promise.resolve(ahead.network);
      void ahead.logFile.moveTo(logPath);
      this.#servingSide?.launched(ahead.running, ahead.tracker);
      this.#started(container);
      return ahead;
    }
    const network = await this.#prepare();
    const resolved = resolveEnv(this.#pod, container, this.#deps.env, this.#place);
    if (resolved.kind === "missing") throw new ContainerStartError("CreateContainerConfigError", resolved.message);
    if (resolved.skipped.length > 0) {
      const names = resolved.skipped.join(", ");
      this.#event(container, "Warning", "InvalidEnvironmentVariableNames", `Keys [${names}] are no variable names`);
    }
    await this.#volumes.prepare(container);
    const id = this.#deps.newId();
    const logFile = createLogFile({ now: () => this.#deps.clock.now(), log: this.#deps.log }, logPath);
    const dir = join(this.#options.runDir, id);
    const running = await this.#deps.runtime.start(
      makeContainerStart(this.#pod.spec, container, {
        id,
        title: `${this.#title()}/${container.name}`,
        env: { HOSTNAME: this.#pod.spec.hostname ?? this.#pod.metadata.name ?? "", ...resolved.env },
        serving: serving && servingPort(container) !== undefined,
        mayServe: serving,
        network,
        mounts: this.#volumes.mounts(container, resolved.env),
        dir,
        output: logFile.sink,
      }),
    );
    if (serving) this.#servingSide?.launched(running);
    this.#started(container);
    return { running, logFile, dispose: () => void rm(dir, { recursive: true, force: true }).catch(() => undefined) };
  }

  #started(container: Container): void {
    this.#event(container, "Normal", "Pulled", `Container image "${container.image}" already present on machine`);
    this.#event(container, "Normal", "Created", `Created container: ${container.name}`);
    this.#event(container, "Normal", "Started", `Started container ${container.name}`);
  }

  #event(container: Container, type: "Normal" | "Warning", reason: string, message: string): void {
    this.#deps.event(this.#pod, type, reason, message, container.name);
  }

  /** Where the log of a container's nth start is kept. */
  logPath(container: string, restart: number): string {
    return join(this.#podLogDir(), container, `${restart}.log`);
  }

  /** The serving port is wherever the program was told to listen; every other port is the program's own. */
  locate(port: number | string): NetAddress | undefined {
    const serving = this.#serving && (servingPort(this.#serving) ?? { containerPort: assumedPort });
    if (serving && (port === serving.containerPort || port === serving.name || port === 0)) {
      const address = this.#servingRunner()?.running?.address;
      if (this.#servingSide?.listens) return address;
    }
    const declared = this.#pod.spec.containers.flatMap((c) => c.ports ?? []).find((p) => p.name === port);
    const number = declared?.containerPort ?? Number(port);
    if (!Number.isInteger(number)) return undefined;
    return this.#network?.address(number) ?? { host: "127.0.0.1", port: number };
  }

  #servingRunner(): ContainerRunner | undefined {
    return this.#containers.find((runner) => runner.view.name === this.#serving?.name);
  }

  async #stop(graceMs: number): Promise<void> {
    const { clock } = this.#deps;
    this.#cancelDeadline?.();
    const deadline = clock.steadyMs() + graceMs;
    for (const runner of this.#containers) {
      if (runner.view.state.running) {
        this.#deps.event(this.#pod, "Normal", "Killing", `Stopping container ${runner.view.name}`, runner.view.name);
      }
    }
    await this.#servingSide?.end(graceMs);
    const left = (): number => (graceMs <= 0 ? 0 : Math.max(1, deadline - clock.steadyMs()));
    await Promise.all(this.#containers.map((runner) => runner.stop(left())));
    for (const runner of this.#initContainers.toReversed()) await runner.stop(left());
    await this.#network?.close();
    for (const waiter of this.#waiters) waiter();
    this.#report();
  }

  #graceMs(): number {
    return (this.#pod.spec.terminationGracePeriodSeconds ?? 30) * 1000;
  }

  #title(): string {
    return `${this.#pod.metadata.namespace}/${this.#pod.metadata.name}`;
  }

  /** Changes of one turn become one status. */
  #report(): void {
    for (const waiter of this.#waiters) waiter();
    if (this.#reporting) return;
    this.#reporting = true;
    queueMicrotask(() => {
      this.#reporting = false;
      this.#deps.onStatus(this.status());
    });
  }

  status(): PodStatus {
    return makePodStatus(
      this.#pod,
      {
        containers: this.#containers.map((runner) => runner.view),
        initContainers: this.#initContainers.map((runner) => runner.view),
        podIP: this.#place.podIP,
        hostIP: this.#options.hostIP,
        startTime: this.#pod.status?.startTime ?? seconds(this.#startedMs),
        ...(this.#end ? { end: this.#end } : {}),
        sandboxReady: true,
      },
      seconds(this.#deps.clock.now()),
    );
  }
}
