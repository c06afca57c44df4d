import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import type { Pod, PodStatus } from "../../src/api/core/types.gen.ts";
import { systemClock, type Clock } from "../../src/client/clock.ts";
import { nodeHostCommand } from "../../src/functions/hosts/host-command.ts";
import { hostProgram } from "../../src/functions/hosts/host-program.ts";
import { prepareHost, startHost } from "../../src/functions/pool/host-process.ts";
import type { Hosts } from "../../src/functions/pool/hosts.ts";
import { defaultPoolLimits } from "../../src/functions/pool/pool-size.ts";
import { WarmPool } from "../../src/functions/pool/warm-pool.ts";
import type { EnvSources } from "../../src/node/env/container-env.ts";
import { createSpareDirs } from "../../src/node/instances/spare-dirs.ts";
import { createInstanceHub, type InstanceEvent } from "../../src/node/instances/instance-hub.ts";
import { createRootfsFinder, type ImageSource } from "../../src/node/image-source.ts";
import { createChosenRuntime } from "../../src/node/providers/choose-runtime.ts";
import { createImageFetcher, strictly } from "../../src/node/providers/image-of-container.ts";
import { openOci } from "../../src/node/providers/oci/open-oci.ts";
import { openCgroups } from "../../src/node/providers/process/cgroups.ts";
import { findSandboxMeans } from "../../src/node/providers/process/sandbox.ts";
import { signalGroup } from "../../src/node/providers/process/exit.ts";
import { createPodIps } from "../../src/node/providers/process/pod-ips.ts";
import { createPortPicker } from "../../src/node/providers/process/port-picker.ts";
import { createProcessProvider, type ProcessProvider } from "../../src/node/providers/process/process-provider.ts";
import { createProcessRuntime } from "../../src/node/providers/process/process-runtime.ts";
import { createProcessTable } from "../../src/node/providers/process/process-table.ts";
import { createStartSlots } from "../../src/node/providers/process/start-slots.ts";
import { createPodVolumes } from "../../src/node/volumes/pod-volumes.ts";
import type { RequestToken } from "../../src/node/volumes/service-account-token.ts";
import type { Logger } from "../../src/telemetry/logger.ts";
import { directoryImages } from "./directory-images.ts";

const fixtures = resolve(import.meta.dirname, "fixtures");

const program = (file: string) => ({ root: fixtures, config: { Entrypoint: ["node", `/${file}`] } });
const fn = (file: string, model: string) => ({
  root: fixtures,
  config: { Labels: { "dev.ebb.host": "node", "dev.ebb.entry": `/${file}`, "dev.ebb.model": model } },
});

const shell = { root: "/", config: { Entrypoint: ["/bin/sh", "-c"], Cmd: ["true"] } };

export const images = directoryImages({
  "listens-on-port": program("listens-on-port.mjs"),
  "exposes-8080": {
    root: fixtures,
    config: { Entrypoint: ["node", "/listens-on-port.mjs"], ExposedPorts: { "8080/tcp": {} } },
  },
  "ignores-port": program("ignores-port.mjs"),
  "talks-back": program("talks-back.mjs"),
  "exits-with-3": program("exits-with-3.mjs"),
  "ignores-sigterm": program("ignores-sigterm.mjs"),
  "fetch-function": fn("fetch-function.mjs", "fetch"),
  "throws-at-import": fn("throws-at-import.mjs", "fetch"),
  shell,
  "dev.local/shell": shell,
  "dev.local/listens-on-port": program("listens-on-port.mjs"),
});

export const quiet: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  with: () => quiet,
  enabled: () => false,
};

export interface PodBench {
  readonly provider: ProcessProvider;
  readonly pool: WarmPool;
  readonly dir: string;
  readonly clock: Clock;
  readonly instances: InstanceEvent[];
  readonly failures: Map<string, string | undefined>;
  readonly events: { readonly pod: string; readonly reason: string; readonly message: string }[];
  /** Ids for which the router was asked to drain. */
  readonly drained: string[];
  status(uid: string): PodStatus | undefined;
  /** Waits until the condition holds; fails with what was seen last. */
  until<T>(what: string, look: () => T | undefined | false): Promise<T>;
  close(): Promise<void>;
}

const programPath = await hostProgram("node", join(tmpdir(), `ebb-test-cache-${process.getuid?.()}`));

/** The process provider with everything real but the API: statuses and events are kept for the test to read. */
export function openPodBench(
  options: { readonly clock?: Clock; readonly env?: Partial<EnvSources>; readonly foreign?: ImageSource } = {},
): PodBench {
  const clock = options.clock ?? systemClock;
  const dir = mkdtempSync(join(tmpdir(), "ebb-node-"));
  const baseEnv = { PATH: `/usr/bin:/bin:${dirname(process.execPath)}`, LANG: "C.UTF-8" };
  const started: number[] = [];
  const spawned = (pid: number): void => void started.push(pid);
  const toStart = {
    command: nodeHostCommand(process.execPath, programPath),
    env: baseEnv,
    spawned,
    now: () => clock.now(),
  };
  const pool = new WarmPool(
    {
      start: () => startHost(toStart, "warm"),
      prepare: () => prepareHost(toStart),
      mayFill: () => true,
      end: (host) => void signalGroup(host.pid, "SIGKILL"),
      now: () => systemClock.now(),
      after: (ms, run) => systemClock.after(ms, run),
      log: quiet,
    },
    { ...defaultPoolLimits, minIdle: 2, replenishAfterMs: 100 },
  );
  const hosts: Hosts = {
    take: () => pool.take(),
    busy: () => pool.busy(),
    async start(launcher) {
      const prepared = launcher.length === 0 ? pool.takePrepared() : undefined;
      return prepared?.begin() ?? startHost(toStart, "direct", launcher);
    },
    close: () => pool.close(),
  };
  const cgroups = openCgroups(`ebb-test-${process.pid}`, { log: quiet });
  const ips = createPodIps(process.platform, Math.random);
  const table = createProcessTable(clock);
  const processRuntime = createProcessRuntime(
    {
      images,
      hosts: { node: hosts, python: hosts },
      cgroups,
      dirs: createSpareDirs({ clock, randomId: () => "" }, { runDir: dir, count: 0 }),
      sandboxMeans: findSandboxMeans,
      spawned,
      ports: createPortPicker(Math.random),
      table,
      slots: createStartSlots(4, systemClock),
      clock,
      log: quiet,
    },
    { baseEnv, compileCacheDir: join(dir, "cache"), loadTimeoutMs: 5_000 },
  );
  const oci =
    options.foreign &&
    openOci(
      {
        findImage: strictly(createRootfsFinder(options.foreign)),
        ips,
        table,
        spawned,
        nodePath: process.execPath,
        clock,
        log: quiet,
      },
      { dataDir: dir, cgroup: `ebb-test-${process.pid}-oci`, uid: process.getuid?.() },
    );
  const runtime =
    oci && options.foreign
      ? createChosenRuntime({ process: processRuntime, oci, ensureImage: createImageFetcher(options.foreign) })
      : processRuntime;
  const statuses = new Map<string, PodStatus>();
  const instances: InstanceEvent[] = [];
  const failures = new Map<string, string | undefined>();
  const events: { pod: string; reason: string; message: string }[] = [];
  const drained: string[] = [];
  const hub = createInstanceHub();
  const sources: EnvSources = {
    configMap: () => undefined,
    secret: () => undefined,
    services: () => [],
    allocatable: { cpuCores: 2, memoryBytes: 2 ** 30 },
    ...options.env,
  };
  const requestToken: RequestToken = (request) =>
    Promise.resolve({
      token: `token of ${request.serviceAccount} for ${request.pod.name} ${request.audiences.join(" ")}`,
      expiresAtMs: clock.now() + request.expirationSeconds * 1000,
    });
  hub.onInstance((event) => instances.push(event));
  let serial = 0;
  const provider = createProcessProvider(
    {
      runtime,
      clock,
      log: quiet,
      hub,
      env: sources,
      volumes: (pod, place) =>
        createPodVolumes(
          { sources, now: () => clock.now(), requestToken },
          join(dir, "pods", pod.metadata.uid ?? ""),
          pod,
          place,
        ),
      ips,
      event: (pod, _type, reason, message) => events.push({ pod: pod.metadata.name ?? "", reason, message }),
      beforeTerminate: (id) => Promise.resolve(void drained.push(id)),
      onFailure: (revision, reason) => void failures.set(revision, reason),
      newId: () => `c${process.pid}-${serial++}`,
    },
    {
      runDir: join(dir, "run"),
      logDir: join(dir, "logs"),
      hostIP: "127.0.0.1",
      unboundMs: 3_000,
      maxPods: 4,
      processors: 2,
    },
  );
  provider.onStatus((pod, status) => void statuses.set(pod.metadata.uid ?? "", status));
  const status = (uid: string): PodStatus | undefined => statuses.get(uid);
  return {
    provider,
    pool,
    dir,
    clock,
    instances,
    failures,
    events,
    drained,
    status,
    async until(what, look) {
      const deadline = Date.now() + 15_000;
      for (;;) {
        const seen = look();
        if (seen !== undefined && seen !== false) return seen;
        if (Date.now() > deadline) {
          const seenLast = JSON.stringify({ statuses: [...statuses.values()], events, instances }, undefined, 1);
          throw new Error(`${what} did not happen; last seen: ${seenLast}`);
        }
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    },
    async close() {
      pool.close();
      await Promise.all(provider.pods().map((uid) => provider.deletePod(uid, 0)));
      await provider.close();
      await oci?.close();
      for (const pid of started) signalGroup(pid, "SIGKILL");
      rmSync(dir, { recursive: true, force: true });
      cgroups?.close();
    },
  };
}

/** A pod as the API would hand it out: one container, Knative-like port, unless told otherwise. */
export function makePod(
  name: string,
  image: string,
  change: Partial<Pod["spec"]> & { readonly labels?: Record<string, string> } = {},
): Pod {
  const { labels, ...spec } = change;
  return {
    metadata: { name, namespace: "default", uid: `uid-${name}`, generation: 1, ...(labels ? { labels } : {}) },
    spec: {
      nodeName: "node",
      restartPolicy: "Always",
      terminationGracePeriodSeconds: 5,
      containers: [
        {
          name: "main",
          image,
          ports: [{ containerPort: 8080 }],
          readinessProbe: { tcpSocket: { port: 8080 } },
        },
      ],
      ...spec,
    },
  };
}
