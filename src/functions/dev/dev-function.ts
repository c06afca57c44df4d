import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { HostName } from "../hosts/protocol.ts";
import type { Packed } from "../build/language.ts";
import { CompileError, SourceError, type FunctionSource } from "../build/source.ts";
import { readEnvFiles } from "./dev-env.ts";
import type { Emit } from "./dev-events.ts";
import {
  claimDevHost,
  hostOf,
  DevStartError,
  startDevProgram,
  type DevHost,
  type DevInstance,
  type InstanceOptions,
  type OutputLine,
} from "./dev-instance.ts";
import { fingerprint, layOut, type LayOutDeps } from "./lay-out.ts";
import { toProblem, type Problem } from "./problem.ts";

/** A version that answers. Whoever sends it a request holds it until the answer has ended. */
export interface Version {
  readonly number: number;
  readonly instance: DevInstance;
  hold(): () => void;
}

export interface DevFunctionDeps {
  /** Finds the function anew: the entry may have been renamed, the model changed. Throws SourceError. */
  readonly detect: () => Promise<FunctionSource>;
  /** Throws CompileError or SourceError. */
  readonly pack: (source: FunctionSource, signal: AbortSignal) => Promise<Packed>;
  /** Rejects with SourceError when this machine has no runtime for it. */
  readonly startHost: (name: HostName) => Promise<DevHost>;
  readonly layers: LayOutDeps;
  readonly emit: Emit;
  /** Called after each build with the files it read, when the language knows. */
  readonly built: (packed: Packed | undefined) => void;
}

export interface DevFunctionOptions {
  readonly name: string;
  readonly dir: string;
  /** Folders whose env files apply, later ones winning: the workspace's, then its own. */
  readonly envDirs: readonly string[];
  /** Given on the command line; wins over files. */
  readonly env: Readonly<Record<string, string>>;
  /** Counts only where neither the function's files nor `env` say otherwise. */
  readonly standardEnv: Readonly<Record<string, string>>;
  readonly baseEnv: Readonly<Record<string, string>>;
  /** Scratch for laid-out versions. */
  readonly workDir: string;
  readonly startMs: number;
  /** How long requests of an old version may go on. */
  readonly drainMs: number;
}

interface Change {
  readonly files: readonly string[];
  /** When the first of them was seen (performance.now). */
  readonly atMs: number;
}

/** A version as its owner knows it. */
interface Serving extends Version {
  /** What it was made of; equal means nothing has changed. */
  readonly print: string;
  /** Ends it when its requests have ended, and after `drainMs` at the latest; a later, shorter time counts. */
  end(drainMs: number): Promise<void>;
}

/** When ebb dev stops, requests get this long to end. */
const stopMs = 1000;

/** Lines of a function's standard error kept for showing beside a failed request. */
const keptLines = 400;

/**
 * One function under development: builds on each change, starts what was built beside the version that answers, and
 * swaps them when the new one is ready. A version that does not build or load never replaces one that does. Old
 * versions end when their last request has.
 */
export class DevFunction {
  readonly #deps: DevFunctionDeps;
  readonly #options: DevFunctionOptions;
  readonly #stop = new AbortController();
  readonly #old = new Map<Serving, Promise<void>>();
  readonly #recent: string[] = [];
  #current: Serving | undefined;
  #problem: Problem | undefined;
  /** Started ahead for the next edit. */
  #spare: { readonly name: HostName; readonly host: Promise<DevHost> } | undefined;
  #changed: Change | undefined;
  #building: AbortController | undefined;
  #loop: Promise<void> | undefined;
  #settled = Promise.withResolvers<void>();
  #versions = 0;

  constructor(deps: DevFunctionDeps, options: DevFunctionOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** What is wrong with the newest source; undefined while it is what answers. */
  get problem(): Problem | undefined {
    return this.#problem;
  }

  /** The version that answers, as soon as one does; undefined when there is none and {@link problem} says why. */
  async current(): Promise<Version | undefined> {
    if (!this.#current && !this.#problem) await this.#settled.promise;
    return this.#current;
  }

  /** The last lines of standard error, newest last. */
  recentOutput(): readonly string[] {
    return this.#recent;
  }

  /** Builds anew; a build under way is given up for it. `atMs` is when the change was seen (performance.now). */
  change(files: readonly string[], atMs: number): void {
    if (this.#stop.signal.aborted) return;
    const before = this.#changed;
    this.#changed = { files: [...(before?.files ?? []), ...files], atMs: before?.atMs ?? atMs };
    this.#building?.abort(new Error("changed again"));
    this.#loop ??= this.#run().finally(() => (this.#loop = undefined));
  }

  async close(): Promise<void> {
    this.#stop.abort(new Error("ebb dev is stopping"));
    this.#building?.abort(this.#stop.signal.reason);
    this.#settled.resolve();
    await this.#loop;
    const spare = this.#spare;
    this.#spare = undefined;
    if (spare) await killHost(await spare.host);
    const current = this.#current;
    this.#current = undefined;
    await Promise.all([current, ...this.#old.keys()].map((version) => version?.end(stopMs)));
  }

  async #run(): Promise<void> {
    for (let change = this.#take(); change && !this.#stop.signal.aborted; change = this.#take()) {
      this.#building = new AbortController();
      const signal = AbortSignal.any([this.#building.signal, this.#stop.signal]);
      try {
        await this.#build(change, signal);
      } catch (error) {
        if (!signal.aborted) this.#broken(error);
        // What was given up counts as changed still, with the time of its first save.
        else this.#changed = { files: [...change.files, ...(this.#changed?.files ?? [])], atMs: change.atMs };
      }
      this.#building = undefined;
    }
  }

  #take(): Change | undefined {
    const change = this.#changed;
    this.#changed = undefined;
    return change;
  }

  async #build(change: Change, signal: AbortSignal): Promise<void> {
    const { deps, name } = { deps: this.#deps, name: this.#options.name };
    deps.emit({ type: "building", function: name, changed: change.files });
    const source = await deps.detect();
    const env = this.#env(source);
    const packed = await deps.pack(source, signal);
    signal.throwIfAborted();
    deps.built(packed);
    const print = `${fingerprint(packed)}${JSON.stringify(env)}`;
    if (this.#current?.print === print) {
      const mended = this.#problem !== undefined;
      this.#problem = undefined;
      deps.emit({ type: "unchanged", function: name, mended, ms: performance.now() - change.atMs });
      return;
    }
    const number = this.#versions + 1;
    const root = join(this.#options.workDir, String(number));
    this.#versions = number;
    await layOut(deps.layers, packed, root, source.dir);
    const instance = await this.#start(packed, { root, env, number, signal }).catch(async (error: unknown) => {
      await rm(root, { recursive: true, force: true });
      throw error;
    });
    this.#swap(makeVersion({ number, instance, print, root }));
    const warnings = [...(source.warnings ?? []), ...packed.warnings];
    deps.emit({ type: "live", function: name, version: number, ms: performance.now() - change.atMs, warnings });
    this.#startSpare(hostOf(packed.config));
  }

  #startSpare(name: HostName | undefined): void {
    if (name === undefined || this.#spare || this.#stop.signal.aborted) return;
    const host = this.#deps.startHost(name);
    host.catch(() => undefined);
    this.#spare = { name, host };
  }

  async #takeHost(name: HostName): Promise<DevHost> {
    const spare = this.#spare;
    this.#spare = undefined;
    if (spare?.name === name) return await spare.host;
    if (spare) await killHost(await spare.host);
    return await this.#deps.startHost(name);
  }

  async #start(
    packed: Packed,
    of: { readonly root: string; readonly env: Readonly<Record<string, string>>; readonly number: number } & Pick<
      InstanceOptions,
      "signal"
    >,
  ): Promise<DevInstance> {
    const { name } = this.#options;
    const k = { K_SERVICE: name, K_CONFIGURATION: name, K_REVISION: `${name}-dev-${of.number}` };
    const options: InstanceOptions = {
      root: of.root,
      config: packed.config,
      env: { ...this.#options.baseEnv, ...k, ...of.env },
      startMs: this.#options.startMs,
      output: (line) => this.#output(line, of.root),
      signal: of.signal,
    };
    const host = hostOf(packed.config);
    if (host === undefined) return await startDevProgram(options);
    return await claimDevHost(await this.#takeHost(host), options);
  }

  /** What func.yaml says is read from Secrets and ConfigMaps is given here by the env files. */
  #env({ settings }: FunctionSource): Readonly<Record<string, string>> {
    const said = (settings?.env ?? []).flatMap((e) => ("value" in e ? [[e.name, e.value] as const] : []));
    const files = this.#options.envDirs.map((dir) => readEnvFiles(dir));
    const { standardEnv, env } = this.#options;
    return Object.assign({ ...standardEnv }, Object.fromEntries(said), ...files, env) as Record<string, string>;
  }

  #swap(next: Serving): void {
    const before = this.#current;
    this.#current = next;
    this.#problem = undefined;
    this.#settled.resolve();
    if (before) this.#retire(before);
    void this.#watchExit(next);
  }

  #retire(version: Serving): void {
    const ending = version.end(this.#options.drainMs);
    this.#old.set(version, ending);
    void ending.finally(() => this.#old.delete(version));
  }

  /** It ended by itself while it was to answer: the next change, or the next request, starts it anew. */
  async #watchExit(version: Serving): Promise<void> {
    const how = await version.instance.exited;
    if (this.#current !== version || this.#stop.signal.aborted) return;
    this.#current = undefined;
    this.#retire(version);
    this.#settled = Promise.withResolvers<void>();
    this.#deps.emit({ type: "exited", function: this.#options.name, how });
    const said = this.#recent.slice(-20).join("\n");
    this.#problem = toProblem("exit", `${said}\n\nit ended by ${how}`.trim(), this.#options.dir);
  }

  /** Starts anew what has ended by itself; without effect otherwise. */
  revive(): void {
    if (this.#problem?.kind !== "exit" || this.#loop) return;
    this.#problem = undefined;
    this.change([], performance.now());
  }

  #broken(error: unknown): void {
    const kind = error instanceof DevStartError ? "load" : "build";
    const known = error instanceof CompileError || error instanceof SourceError || error instanceof DevStartError;
    const text = error instanceof Error ? (known ? error.message : (error.stack ?? error.message)) : String(error);
    const problem = toProblem(kind, this.#sourcePaths(text), this.#options.dir);
    this.#problem = problem;
    this.#settled.resolve();
    this.#deps.built(undefined);
    const serving = this.#current?.number;
    this.#deps.emit({ type: "broken", function: this.#options.name, serving, problem });
  }

  #output({ stream, line }: OutputLine, root: string): void {
    const shown = line.replaceAll(`${root}/app/`, `${this.#options.dir}/`);
    if (stream === "stderr") this.#recent.push(shown);
    if (this.#recent.length > keptLines) this.#recent.splice(0, keptLines / 2);
    this.#deps.emit({ type: "output", function: this.#options.name, stream, line: shown });
  }

  /** Paths of laid-out copies as the person knows them. */
  #sourcePaths(text: string): string {
    const copies = new RegExp(`${RegExp.escape(this.#options.workDir)}/\\d+/app/`, "g");
    return text.replaceAll(copies, `${this.#options.dir}/`);
  }
}

async function killHost(host: DevHost): Promise<void> {
  try {
    process.kill(-host.process.pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
  await host.process.exited.catch(() => undefined);
}

function makeVersion(facts: Pick<Serving, "number" | "instance" | "print"> & { readonly root: string }): Serving {
  const { number, instance, print, root } = facts;
  let held = 0;
  const idle = Promise.withResolvers<void>();
  let ending: Promise<void> | undefined;
  const end = async (): Promise<void> => {
    if (held === 0) idle.resolve();
    await Promise.race([idle.promise, instance.exited]);
    await instance.stop(stopMs);
    instance.agent.destroy();
    await rm(root, { recursive: true, force: true });
  };
  return {
    number,
    instance,
    print,
    hold() {
      held += 1;
      let released = false;
      return () => {
        if (released) return;
        released = true;
        held -= 1;
        if (held === 0 && ending) idle.resolve();
      };
    },
    end(drainMs) {
      const late = setTimeout(() => idle.resolve(), drainMs);
      ending ??= end();
      return ending.finally(() => clearTimeout(late));
    },
  };
}
