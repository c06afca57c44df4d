/**
 * `ebb up`: the whole of ebb in one process. This file and cluster.ts are the only ones that know every room; what a room
 * needs of another reaches it here, as a narrow value.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { builtinDefinitions } from "../api/definitions.ts";
import { servingDefinitions } from "../api/serving/definitions.ts";
import { createApiServer } from "../apiserver/server.ts";
import type { Client } from "../client/client.ts";
import { systemClock } from "../client/clock.ts";
import { createController } from "../client/create-controller.ts";
import { createInformers } from "../client/create-informers.ts";
import type { ControllerSpec } from "../client/controller.ts";
import { createAutoscaling } from "../controllers/autoscaling/pod-autoscaler.ts";
import { coreControllers } from "../controllers/core-controllers.ts";
import { openImageStore } from "../images/store.ts";
import { createNodeAgent } from "../node/create-node-agent.ts";
import type { Logger } from "../telemetry/logger.ts";
import { openDataDir, type RunningEbb } from "./data-dir.ts";
import { readMachine } from "./machine.ts";

export interface StandaloneOptions {
  readonly dataDir: string;
  /** 0 takes any free port. */
  readonly apiPort: number;
  readonly routerPort: number;
  /** Address that API and router listen on. Loopback unless the user wants others to reach them. */
  readonly host: string;
  readonly fsync: boolean;
  /** Warm hosts kept waiting when idle. */
  readonly poolSize: number;
  readonly version: string;
}

export interface Standalone {
  readonly running: RunningEbb;
  readonly kubeconfig: string;
  /** Takes nothing new in, drains what runs, stops what it started. May be called more than once. */
  close(): Promise<void>;
}

/** Starts everything; resolves when the API and the router answer. Rejects after undoing what was started. */
export async function startStandalone(options: StandaloneOptions, log: Logger): Promise<Standalone> {
  const closers = new AsyncDisposableStack();
  try {
    const standalone = await assemble(options, log, closers);
    const undo = closers.move();
    let closing: Promise<void> | undefined;
    return { ...standalone, close: () => (closing ??= undo.disposeAsync()) };
  } catch (error) {
    await closers.disposeAsync();
    throw error;
  }
}

/** Everything pushed to `closers` is undone in reverse: router intake, controllers, instances, API server, store, lock. */
async function assemble(
  options: StandaloneOptions,
  log: Logger,
  closers: AsyncDisposableStack,
): Promise<Omit<Standalone, "close">> {
  const dataDir = openDataDir(options.dataDir);
  closers.defer(() => dataDir.close());
  const definitions = [...builtinDefinitions, ...servingDefinitions];
  const server = createApiServer({ dataDir: dataDir.path, fsync: options.fsync, definitions }, { log, now: Date.now });
  closers.defer(() => server.close());
  const client: Client = server.api;
  const clock = systemClock;
  const informers = createInformers(client, { log, clock });
  closers.defer(() => informers.close());
  const images = openImageStore(join(dataDir.path, "images"));
  const node = createNodeAgent(
    {
      client,
      informers,
      images,
      clock,
      log,
      beforeTerminate: () => Promise.resolve(),
      onStartFailure: () => undefined,
    },
    {
      machine: readMachine(options.version),
      dataDir: dataDir.path,
      nodePath: process.execPath,
      poolSize: options.poolSize,
    },
  );
  closers.defer(() => node.close());
  const autoscaling = createAutoscaling({ client, informers, clock, log, launcher: node.launcher });
  const builtInKinds = definitions.map((definition) => definition.kind);
  const specs: readonly ControllerSpec[] = [
    ...coreControllers({ client, informers, clock, log, builtInKinds, rootCa: server.caCertificate }),
    ...autoscaling.controllers,
  ];
  const controllers = specs.map((spec) => createController(spec, { informers, log, clock }));
  const stop = new AbortController();
  closers.defer(async () => {
    stop.abort(new Error("ebb is stopping"));
    await Promise.all(controllers.map((controller) => controller.close()));
  });
  for (const controller of controllers) controller.start(stop.signal);
  const apiPort = await server.listen({ host: options.host, port: options.apiPort });
  const apiUrl = `https://127.0.0.1:${apiPort}`;
  writeFileSync(dataDir.kubeconfig, server.kubeconfig(apiUrl), { mode: 0o600 });
  await node.start();
  const running: RunningEbb = {
    pid: process.pid,
    startedAt: new Date().toISOString(),
    apiUrl,
    routerUrl: `http://127.0.0.1:${options.routerPort}`,
    domain: "localhost",
  };
  dataDir.announce(running);
  return { running, kubeconfig: dataDir.kubeconfig };
}
