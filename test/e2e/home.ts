/**
 * Where a test's services live: an ebb started for it, or, with EBB_TEST_HOME=cluster, a namespace of its own on the
 * cluster of EBB_TEST_KUBECONFIG, where ebb is installed. A test that says `openHome()` runs in both.
 */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openClusterHome } from "./cluster-home.ts";
import {
  startCommand,
  startEbb,
  type Answer,
  type CallOptions,
  type CommandResult,
  type EbbProcess,
  type Started,
} from "./ebb-process.ts";

export interface Home {
  readonly kind: "standalone" | "cluster";
  /** A scratch directory, removed at the end. */
  readonly dir: string;
  /** The tests' own; what names none goes there. */
  readonly namespace: string;
  /** Its context has that namespace. */
  readonly kubeconfig: string;
  readonly routerUrl: string;
  /** What the router is asked for: `hello.default.localhost`. */
  host(service: string, namespace?: string): string;
  /** A namespace for this test alone; the name it got begins with the one wanted, and it goes with the home. */
  createNamespace(name: string): Promise<string>;
  /** Runs an ebb command against it. */
  ebb(...args: string[]): Promise<CommandResult>;
  /** Starts an ebb command that stays, and waits for its first line. Ctrl-C when the signal fires. */
  start(args: readonly string[], signal: AbortSignal): Promise<Started>;
  kubectl(
    args: readonly string[],
    options?: { readonly program?: string; readonly stdin?: string },
  ): Promise<CommandResult>;
  /** Calls a host through the router. */
  call(host: string, options?: CallOptions): Promise<Answer>;
  close(): Promise<void>;
}

export interface HomeOptions {
  /** Caches of compilers to be used: a directory that stays. */
  readonly prepare?: (dir: string) => Promise<void>;
}

/** What the tests run against. */
export const homeKind: Home["kind"] = process.env["EBB_TEST_HOME"] === "cluster" ? "cluster" : "standalone";

/** Why a test cannot run here, for `context.skip`; undefined where it can. */
export const onlyStandalone = (why: string): string | undefined =>
  homeKind === "cluster" ? `only standalone: ${why}` : undefined;

/** Time for a test that takes so long standalone: on a cluster images travel, and containers start. */
export const patienceMs = (standaloneMs: number): number => (homeKind === "cluster" ? 3 * standaloneMs : standaloneMs);

export async function openHome(options: HomeOptions = {}): Promise<Home> {
  if (homeKind === "cluster") return await openClusterHome(options);
  const dir = await mkdtemp(join(tmpdir(), "ebb-e2e-"));
  await options.prepare?.(dir);
  const ebb = await startEbb({ dir });
  return standaloneHome(ebb, () => rm(dir, { recursive: true, force: true }));
}

function standaloneHome(ebb: EbbProcess, remove: () => Promise<void>): Home {
  return {
    kind: "standalone",
    dir: ebb.dir,
    namespace: "default",
    kubeconfig: ebb.kubeconfig,
    routerUrl: ebb.routerUrl,
    host: (service, namespace = "default") => `${service}.${namespace}.localhost`,
    async createNamespace(name) {
      const made = await ebb.kubectl(["create", "namespace", name]);
      if (made.code !== 0) throw new Error(made.stderr);
      return name;
    },
    ebb: ebb.ebb,
    start: (args, signal) => startCommand(args, { ...process.env, EBB_DATA: ebb.dir }, signal),
    kubectl: ebb.kubectl,
    call: ebb.call,
    async close() {
      await ebb.stop();
      await remove();
    },
  };
}

/** A folder of sources in a home's scratch directory. */
export async function sourceDir(home: Home, name: string): Promise<string> {
  const dir = join(home.dir, "sources", name);
  await mkdir(dir, { recursive: true });
  return dir;
}
