import type { Container, ContainerStatus } from "../../api/core/types.gen.ts";
import { sleep, type Clock } from "../../client/clock.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { LogFile } from "../logs/log-file.ts";
import {
  ContainerStartError,
  type ContainerExit,
  type NetAddress,
  type OutputSink,
  type RunningContainer,
} from "../runtime.ts";
import { watchHealth } from "./container-probes.ts";
import { waitingView, type ContainerView } from "./container-view.ts";
import { runHook } from "./lifecycle-hook.ts";
import { resume } from "./resume.ts";
import { backoffText, nextBackoff, restarts, type BackoffState } from "./restart-backoff.ts";
import { terminate } from "./terminate.ts";
import { terminatedState } from "./terminated-state.ts";
import { watchPort } from "./watch-port.ts";

/** One start of a container: what runs, and where its output goes. */
export interface Launched {
  readonly running: RunningContainer;
  readonly logFile: LogFile;
  /** It was started ahead of its pod and is known to be ready. */
  readonly ready?: boolean;
  /** What the program left in its termination message file; read once it has ended. */
  readonly message?: () => string;
  /** Called once it has ended and its status is known: frees its directory. */
  readonly dispose: () => void;
}

export interface ContainerRunnerDeps {
  readonly clock: Clock;
  readonly log: Logger;
  /** Starts it for the nth time (0 first). Throws ContainerStartError for what the pod's status must say. */
  readonly launch: (restartCount: number, view: ContainerView) => Promise<Launched>;
  readonly locate: (port: number | string) => NetAddress | undefined;
  readonly event: (type: "Normal" | "Warning", reason: string, message: string) => void;
  readonly onChange: () => void;
  readonly onReady?: (running: RunningContainer, ready: boolean) => void;
}

export interface ContainerRunnerOptions {
  readonly container: Container;
  /** The pod's, or the container's own. */
  readonly restartPolicy: string;
  readonly serving: boolean;
  readonly containerIdScheme: string;
  readonly graceMs: number;
  /** What the API says of a container that an earlier agent ran. */
  readonly known?: ContainerStatus;
}

const retryConfigMs = 2_000;

/** Keeps one container of a pod as its restart policy wants it, from the first start until it is over or stopped. */
export class ContainerRunner {
  readonly #deps: ContainerRunnerDeps;
  readonly #options: ContainerRunnerOptions;
  readonly #stop = new AbortController();
  readonly #firstRestart: number;
  #view: ContainerView;
  #current: Launched | undefined;
  #done: Promise<void> | undefined;
  #backoff: BackoffState | undefined;
  #lastRestart: number | undefined;

  constructor(deps: ContainerRunnerDeps, options: ContainerRunnerOptions, waitingReason: string) {
    this.#deps = deps;
    this.#options = options;
    const view = waitingView(options.container.name, options.container.image ?? "", waitingReason);
    const resumed = options.known && resume(view, options.known, options.restartPolicy, seconds(deps.clock.now()));
    this.#view = resumed?.view ?? view;
    this.#firstRestart = resumed?.restart ?? 0;
  }

  get view(): ContainerView {
    return this.#view;
  }

  get running(): RunningContainer | undefined {
    return this.#current?.running;
  }

  get logFile(): LogFile | undefined {
    return this.#current?.logFile;
  }

  /** Number of the start that runs or ran last, which names its log; undefined before the first. */
  get lastRestart(): number | undefined {
    return this.#lastRestart;
  }

  /** Calls back with what the present start prints from here on; returns the removal. */
  onOutput(listener: OutputSink): () => void {
    return this.#current?.logFile.onOutput(listener) ?? (() => undefined);
  }

  /** Starts and restarts it; resolves when it is over. Further calls give the same promise. */
  run(): Promise<void> {
    this.#done ??= this.#loop();
    return this.#done;
  }

  /** Ends it for good; resolves when it is over. Never throws. */
  async stop(graceMs: number): Promise<void> {
    this.#stop.abort(new Error("container is being stopped"));
    const current = this.#current;
    if (current && this.#view.state.running) await this.#end(current.running, graceMs);
    await this.#done;
    if (!this.#view.over) this.#set({ over: true, ready: false });
  }

  async #loop(): Promise<void> {
    for (let restart = this.#firstRestart; !this.#stop.signal.aborted && !this.#view.over; restart++) {
      const launched = await this.#launch(restart);
      if (!launched) return;
      const startedMs = launched.running.startedAtMs;
      const exit = await this.#attend(launched);
      const over = this.#stop.signal.aborted || !restarts(this.#options.restartPolicy, exit.exitCode);
      this.#ended(launched, exit, over);
      if (over) return;
      this.#backoff = nextBackoff(this.#backoff, exit.finishedAtMs - startedMs);
      if (!(await this.#waitBackoff(restart + 1))) return;
    }
  }

  /** Tries until it starts; undefined when stopped meanwhile. */
  async #launch(restart: number): Promise<Launched | undefined> {
    for (let failures = 0; !this.#stop.signal.aborted; failures++) {
      try {
        const launched = await this.#deps.launch(restart, this.#view);
        this.#current = launched;
        this.#lastRestart = restart;
        if (this.#stop.signal.aborted) await this.#end(launched.running, 0);
        return launched;
      } catch (error) {
        this.#startFailed(error, restart);
        const waitMs = Math.min(300_000, retryConfigMs * 2 ** Math.min(failures, 10));
        if (!(await this.#sleep(waitMs))) return undefined;
      }
    }
    return undefined;
  }

  #startFailed(error: unknown, restart: number): void {
    const known = error instanceof ContainerStartError;
    const reason = known ? error.reason : "RunContainerError";
    const message = error instanceof Error ? error.message : String(error);
    if (!known) this.#deps.log.error("container start failed", { err: error, container: this.#view.name });
    this.#deps.event("Warning", "Failed", known && reason !== "ErrImagePull" ? `Error: ${message}` : message);
    this.#set({ state: { waiting: { reason, message } }, ready: false, started: false, restartCount: restart });
  }

  /** From running to ended. */
  async #attend(launched: Launched): Promise<ContainerExit> {
    const { running } = launched;
    this.#set({
      state: { running: { startedAt: seconds(running.startedAtMs) } },
      imageId: running.imageId,
      containerId: `${this.#options.containerIdScheme}://${running.id}`,
      started: launched.ready === true || this.#options.container.startupProbe === undefined,
      ready: launched.ready === true,
    });
    let cause: ContainerExit["cause"];
    const endWith = (reason: string, message: string, graceMs = this.#options.graceMs): void => {
      cause ??= { reason, message };
      void this.#end(running, graceMs);
    };
    this.#postStart(running, endWith);
    const stopHealth = this.#watchHealth(running, endWith);
    const stopPort = this.#options.serving ? this.#watchPort(running, endWith) : undefined;
    const exit = await running.exited;
    stopHealth();
    stopPort?.();
    return cause && !exit.cause ? { ...exit, cause } : exit;
  }

  /** A failing hook ends the container, as its start counts as failed. */
  #postStart(running: RunningContainer, endWith: (reason: string, message: string) => void): void {
    const hook = this.#options.container.lifecycle?.postStart;
    if (!hook) return;
    const target = { running, locate: this.#deps.locate };
    runHook(this.#deps.clock, hook, target, this.#stop.signal).catch((error: unknown) => {
      if (this.#stop.signal.aborted) return;
      const message = `PostStartHook failed: ${error instanceof Error ? error.message : String(error)}`;
      this.#deps.event("Warning", "FailedPostStartHook", message);
      endWith("Error", message);
    });
  }

  #watchHealth(running: RunningContainer, endWith: (reason: string, message: string, graceMs?: number) => void) {
    const { container, graceMs } = this.#options;
    return watchHealth(
      this.#deps,
      container,
      { running, locate: this.#deps.locate },
      {
        onStarted: () => this.#set({ started: true }),
        onReady: (ready) => {
          const { hint: _, ...view } = this.#view;
          this.#view = view;
          this.#set({ ready });
          this.#deps.onReady?.(running, ready);
        },
        onFailure: (kind, message) =>
          this.#deps.event("Warning", "Unhealthy", `${capital(kind)} probe failed: ${message}`),
        onUnhealthy: (kind, probe, message) => {
          const text = `Container ${container.name} failed ${kind} probe, will be restarted`;
          this.#deps.event("Normal", "Killing", text);
          const seconds = probe.terminationGracePeriodSeconds;
          endWith("Error", `${kind} probe failed: ${message}`, seconds === undefined ? graceMs : seconds * 1000);
        },
      },
    );
  }

  #watchPort(running: RunningContainer, endWith: (reason: string, message: string) => void) {
    return watchPort(this.#deps, running, {
      isReady: () => this.#view.ready,
      onSilent: (message) => this.#set({ hint: message }),
      onIgnored: (message) => {
        this.#deps.event("Warning", "PortIgnored", message);
        endWith("PortIgnored", message);
      },
    });
  }

  #ended(launched: Launched, exit: ContainerExit, over: boolean): void {
    const terminated = terminatedState(exit, {
      startedAt: seconds(launched.running.startedAtMs),
      containerId: this.#view.containerId,
      tail: (lines) => launched.logFile.tail(lines),
      memoryLimit: this.#options.container.resources?.limits?.["memory"],
      written: launched.message?.() ?? "",
    });
    launched.dispose();
    void launched.logFile.close();
    this.#set({ state: { terminated }, ready: false, started: false, over });
  }

  async #waitBackoff(restart: number): Promise<boolean> {
    const delayMs = this.#backoff?.delayMs ?? 0;
    const { state } = this.#view;
    if (delayMs <= 0) {
      this.#set({ lastState: state, restartCount: restart });
      return true;
    }
    const name = this.#view.name;
    const message = `back-off ${backoffText(delayMs)} restarting failed container=${name}`;
    this.#deps.event("Warning", "BackOff", `Back-off restarting failed container ${name}`);
    this.#set({
      state: { waiting: { reason: "CrashLoopBackOff", message } },
      lastState: state,
      restartCount: restart,
    });
    return await this.#sleep(delayMs);
  }

  async #end(running: RunningContainer, graceMs: number): Promise<void> {
    const { clock, locate, event } = this.#deps;
    const hook = this.#options.container.lifecycle?.preStop;
    const preStop = async (signal: AbortSignal): Promise<void> => {
      if (!hook) return;
      try {
        await runHook(clock, hook, { running, locate }, signal);
      } catch (error) {
        if (!signal.aborted) event("Warning", "FailedPreStopHook", `PreStopHook failed: ${String(error)}`);
      }
    };
    await terminate(running, { graceMs, ...(hook ? { preStop } : {}) }, clock);
  }

  async #sleep(ms: number): Promise<boolean> {
    try {
      await sleep(this.#deps.clock, ms, this.#stop.signal);
      return true;
    } catch {
      return false;
    }
  }

  #set(change: Partial<ContainerView>): void {
    this.#view = { ...this.#view, ...change };
    this.#deps.onChange();
  }
}

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

/** Times in a pod's status have second precision. */
export const seconds = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;
