import { createHash, randomBytes } from "node:crypto";
import { availableParallelism } from "node:os";
import { basename, dirname, join } from "node:path";
import { ConfigMapKind, PodKind, SecretKind, ServiceKind } from "../api/core/kinds.ts";
import type { Service } from "../api/core/types.gen.ts";
import type { Client } from "../client/client.ts";
import type { Clock } from "../client/clock.ts";
import type { Informers } from "../client/informer.ts";
import { findPython, oldestPython } from "../functions/hosts/find-python.ts";
import { nodeHostCommand, pythonHostCommand } from "../functions/hosts/host-command.ts";
import { hostProgram } from "../functions/hosts/host-program.ts";
import { pythonProgram } from "../functions/hosts/python-program.ts";
import { startForkServer } from "../functions/pool/fork-server.ts";
import { prepareHost, startHost, type HostDeps } from "../functions/pool/host-process.ts";
import { createHosts, type HostsDeps } from "../functions/pool/hosts.ts";
import { defaultPoolLimits, maxIdleFor } from "../functions/pool/pool-size.ts";
import type { Logger } from "../telemetry/logger.ts";
import { createEventRecorder } from "./agent/event-recorder.ts";
import type { MachineFacts } from "./agent/node-object.ts";
import { createPodAgent } from "./agent/pod-agent.ts";
import { sweepPods, sweepRuns } from "./agent/sweep.ts";
import { createRegistration } from "./agent/registration.ts";
import { createNodeConnection } from "./connection/node-connection.ts";
import type { NodeConnection } from "../api/node-connection.ts";
import { createUsageMeter } from "./connection/usage-meter.ts";
import { createPodVolumes } from "./volumes/pod-volumes.ts";
import type { RequestToken } from "./volumes/service-account-token.ts";
import type { EnvSources } from "./env/container-env.ts";
import { createRootfsFinder, type ImageSource } from "./image-source.ts";
import type { StartAhead } from "./instances/ahead.ts";
import { createSpareDirs } from "./instances/spare-dirs.ts";
import { createInstanceHub, type InstanceListener } from "./instances/instance-hub.ts";
import { createChosenRuntime } from "./providers/choose-runtime.ts";
import { createImageFetcher, strictly } from "./providers/image-of-container.ts";
import { openOci } from "./providers/oci/open-oci.ts";
import { openCgroups } from "./providers/process/cgroups.ts";
import { findSandboxMeans } from "./providers/process/sandbox.ts";
import { signalGroup } from "./providers/process/exit.ts";
import { createPodIps } from "./providers/process/pod-ips.ts";
import { createPortPicker } from "./providers/process/port-picker.ts";
import { findOrphans, openProcessJournal } from "./providers/process/process-journal.ts";
import { createProcessProvider } from "./providers/process/process-provider.ts";
import { createProcessRuntime } from "./providers/process/process-runtime.ts";
import { createProcessTable } from "./providers/process/process-table.ts";
import { createStartSlots } from "./providers/process/start-slots.ts";

export interface NodeAgentDeps {
  readonly client: Client;
  readonly informers: Informers;
  readonly images: ImageSource;
  readonly clock: Clock;
  readonly log: Logger;
  /** Resolves when the router has no request in flight to the instance; called before it gets TERM. */
  readonly beforeTerminate: (instanceId: string) => Promise<void>;
  /** Why a revision (`namespace/name`) has no instance, undefined clears it: the router tells its callers. */
  readonly onStartFailure: (revision: string, reason: string | undefined) => void;
  /** Where programs of this machine reach the API, which is not its Service's address; undefined while not known. */
  readonly apiAddress?: () => { readonly host: string; readonly port: number } | undefined;
  /** Gets tokens for pods that mount one; without it such pods wait and say so. */
  readonly requestToken?: RequestToken;
}

export interface NodeAgentOptions {
  readonly machine: MachineFacts;
  /** Everything the node writes is below: `run/`, `logs/`, `cache/`. */
  readonly dataDir: string;
  /** The Node that runs function hosts; its directory ends the PATH of programs. */
  readonly nodePath: string;
  /** PATH of ebb itself: where runtimes of other languages are looked for. */
  readonly path: string;
  readonly timeZone?: string;
  /** Hosts waiting when idle; 0 turns the warm pool off. */
  readonly poolSize: number;
}

/** The node agent of one ebb: opened with start, closed with close. */
export interface NodeAgent {
  /** Ends what an earlier ebb left running, registers the node and begins taking pods. Resolves when the node is Ready. */
  start(): Promise<void>;
  /** Ends every pod gracefully and marks the node as not ready; pods stay in the API and run again at the next start. */
  close(): Promise<void>;
  /** Implements controllers/autoscaling/launcher.ts. */
  readonly launcher: { startAhead(request: StartAhead): boolean; isBusy(): boolean };
  /** Every instance there is and every change from here on (router/instance.ts); returns the removal. */
  onInstance(listener: InstanceListener): () => void;
  /** What the API server asks of this node: logs, exec, attach, port-forward, usage. */
  readonly connection: NodeConnection;
}

/** Wires the agent with the process provider. */
export function createNodeAgent(deps: NodeAgentDeps, options: NodeAgentOptions): NodeAgent {
  const { clock, log, client } = deps;
  const { dataDir, nodePath, machine } = options;
  const journalFile = join(dataDir, "run", "processes");
  const orphans = findOrphans(journalFile);
  const journal = openProcessJournal(journalFile);
  const baseEnv = {
    PATH: `/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:${dirname(nodePath)}`,
    LANG: "C.UTF-8",
    ...(options.timeZone === undefined ? {} : { TZ: options.timeZone }),
  };
  const cacheDir = join(dataDir, "cache");
  // Bundled while the rest of ebb starts; nothing asks for a host before start().
  const nodeProgram = hostProgram("node", cacheDir);
  nodeProgram.catch(() => undefined);
  const randomId = (): string => randomBytes(8).toString("hex");
  const dirs = createSpareDirs({ clock, randomId }, { runDir: join(dataDir, "run"), count: spareDirs });
  // Twice the processors: a start waits for the disk and for us about as long as it computes.
  const slots = createStartSlots(2 * availableParallelism(), clock);
  const startedHost = (command: readonly string[]): HostDeps => ({
    command,
    env: baseEnv,
    spawned: (pid) => journal.started(pid),
    now: () => clock.now(),
  });
  const hostsDeps: HostsDeps = {
    startHost: (command, purpose, launcher) => startHost(startedHost(command), purpose, launcher),
    startForkServer: (command) => startForkServer(startedHost(command)),
    prepareHost: (command) => prepareHost(startedHost(command)),
    mayFill: () => !slots.isCrowded(),
    end: (host) => void signalGroup(host.pid, "SIGKILL"),
    now: () => clock.steadyMs(),
    after: (ms, run) => clock.after(ms, run),
    log,
  };
  const poolOptions = {
    ...defaultPoolLimits,
    minIdle: options.poolSize,
    maxIdle: maxIdleFor(machine.memoryBytes),
    replenishAfterMs: 150,
  };
  const nodeHosts = createHosts(hostsDeps, {
    ...poolOptions,
    forks: false,
    command: async () => nodeHostCommand(nodePath, await nodeProgram),
  });
  const pythonHosts = createHosts(hostsDeps, {
    ...poolOptions,
    minIdle: Math.min(options.poolSize, pythonIdle.least),
    maxIdle: pythonIdle.most,
    forks: machine.platform === "linux",
    // A fork of one that is up costs less.
    ...(machine.platform === "linux" ? { minPrepared: 0, maxPrepared: 0 } : {}),
    command: () => pythonCommand(options.path, cacheDir),
  });
  const cgroup = `ebb-${createHash("sha256").update(dataDir).digest("hex").slice(0, 12)}`;
  const cgroups = openCgroups(cgroup, { log });
  const ips = createPodIps(process.platform, Math.random);
  const table = createProcessTable(clock);
  const processRuntime = createProcessRuntime(
    {
      images: deps.images,
      hosts: { node: nodeHosts, python: pythonHosts },
      cgroups,
      dirs,
      sandboxMeans: once(findSandboxMeans),
      spawned: (pid) => journal.started(pid),
      ports: createPortPicker(Math.random),
      table,
      slots,
      clock,
      log,
    },
    { baseEnv, compileCacheDir: join(cacheDir, "compiled"), loadTimeoutMs: 30_000 },
  );
  const rootfsOf = strictly(createRootfsFinder(deps.images));
  const oci = openOci(
    { findImage: rootfsOf, spawned: (pid) => journal.started(pid), ips, table, nodePath, clock, log },
    { dataDir, cgroup: `${cgroup}-oci`, uid: process.getuid?.() },
  );
  const runtime = createChosenRuntime({
    process: processRuntime,
    oci,
    ensureImage: createImageFetcher(deps.images),
  });
  const hub = createInstanceHub();
  const recorder = createEventRecorder({ client, clock, log }, machine.name);
  const sources = envSources(deps, machine);
  const provider = createProcessProvider(
    {
      runtime,
      clock,
      log,
      hub,
      env: sources,
      volumes: (pod, place) =>
        createPodVolumes(
          { sources, now: () => clock.now(), requestToken: deps.requestToken ?? noTokens },
          join(dataDir, "pods", pod.metadata.uid ?? "", "volumes"),
          pod,
          place,
        ),
      ips,
      event: (pod, type, reason, message, container) => recorder.podEvent(pod, { type, reason, message, container }),
      beforeTerminate: deps.beforeTerminate,
      onFailure: deps.onStartFailure,
      newId: () => dirs.newId(),
    },
    {
      runDir: join(dataDir, "run"),
      logDir: join(dataDir, "logs"),
      hostIP: machine.hostIP,
      unboundMs: 10_000,
      maxPods: machine.maxPods,
      processors: availableParallelism(),
    },
  );
  const agent = createPodAgent({ client, informers: deps.informers, provider, clock, log }, machine.name);
  let stopRefreshing: (() => void) | undefined;
  let cancelSweep: (() => void) | undefined;
  const registration = createRegistration({ client, clock, log }, machine);

  return {
    launcher: { startAhead: (request) => provider.startAhead(request), isBusy: () => provider.isBusy() },
    onInstance: (listener) => hub.onInstance(listener),
    connection: createNodeConnection({
      runner: (uid) => provider.runner(uid),
      usage: createUsageMeter(clock, () => provider.runners()),
    }),
    async start() {
      for (const session of orphans) {
        log.info("ending a process that an earlier ebb left running", { pid: session });
        signalGroup(session, "SIGKILL");
      }
      const [runDir, logDir] = [join(dataDir, "run"), join(dataDir, "logs")];
      await oci.sweep();
      await sweepRuns(runDir, logDir, [basename(journalFile)]);
      dirs.start();
      await nodeHosts.wake();
      await registration.start();
      agent.start();
      stopRefreshing = refreshVolumes(deps, provider);
      cancelSweep = clock.after(sweepAfterMs, () => {
        const uids = new Set(
          deps.informers
            .of(PodKind)
            .list()
            .map((pod) => pod.metadata.uid),
        );
        void sweepPods(logDir, join(dataDir, "pods"), (uid) => uids.has(uid)).catch((error: unknown) =>
          log.warn("leftovers of deleted pods not removed", { err: error }),
        );
      });
    },
    async close() {
      dirs.close();
      nodeHosts.close();
      pythonHosts.close();
      stopRefreshing?.();
      cancelSweep?.();
      await agent.close();
      await oci.close();
      cgroups?.close();
      await recorder.close();
      await registration.close();
    },
  };
}

/** Of 5 MB each; where none waits, one is forked in 3 ms. */
const pythonIdle = { least: 2, most: 8 } as const;

async function pythonCommand(path: string, cacheDir: string): Promise<readonly string[]> {
  const python = await findPython(path);
  if (!python) {
    const oldest = oldestPython.join(".");
    throw new Error(`no Python ${oldest} or later on the PATH of ebb: install python3 and deploy again or wait`);
  }
  return pythonHostCommand(python.path, pythonProgram(cacheDir));
}

/** As many wakes in a row find their directories made. */
const spareDirs = 64;

/** By then the informers know every pod there is. */
const sweepAfterMs = 30_000;
/** Tokens fall due without anything changing. */
const refreshEveryMs = 60_000;
/** Changes come in bunches. */
const refreshAfterMs = 500;

/** Keeps volumes showing what the API has: soon after a ConfigMap or Secret changed, and every minute. */
function refreshVolumes(
  { informers, clock }: NodeAgentDeps,
  provider: { refreshVolumes(): Promise<void> },
): () => void {
  const run = (): void => void provider.refreshVolumes().finally(() => (cancel = clock.after(refreshEveryMs, run)));
  let cancel = clock.after(refreshEveryMs, run);
  const soon = (change: { readonly type: string }): void => {
    if (change.type === "added") return;
    cancel();
    cancel = clock.after(refreshAfterMs, run);
  };
  const stops = [informers.of(ConfigMapKind).onChange(soon), informers.of(SecretKind).onChange(soon)];
  return () => {
    for (const stop of stops) stop();
    cancel();
  };
}

const noTokens: RequestToken = () =>
  Promise.reject(new Error("this node was given no way to ask for service account tokens"));

function envSources({ informers, apiAddress }: NodeAgentDeps, machine: MachineFacts): EnvSources {
  const configMaps = informers.of(ConfigMapKind);
  const secrets = informers.of(SecretKind);
  const services = informers.of(ServiceKind);
  return {
    configMap: (namespace, name) => configMaps.get(`${namespace}/${name}`),
    secret: (namespace, name) => secrets.get(`${namespace}/${name}`),
    services(namespace) {
      const api = apiAddress?.();
      return services.list(namespace).map((service) => (api && isApi(service) ? atAddress(service, api) : service));
    },
    allocatable: { cpuCores: machine.cpus, memoryBytes: machine.memoryBytes },
  };
}

const isApi = ({ metadata }: Service): boolean => metadata.name === "kubernetes" && metadata.namespace === "default";

const atAddress = (service: Service, api: { readonly host: string; readonly port: number }): Service => ({
  ...service,
  spec: { ...service.spec, clusterIP: api.host, ports: [{ name: "https", protocol: "TCP", port: api.port }] },
});

function once<T>(find: () => T): () => T {
  let found: { readonly value: T } | undefined;
  return () => (found ??= { value: find() }).value;
}
