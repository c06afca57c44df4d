import { connect } from "node:net";
import { pipeline } from "node:stream/promises";
import { PodKind } from "../../api/core/kinds.ts";
import { badRequest, notFound } from "../../api/meta/errors.ts";
import type { NodeConnection, PodReference } from "../../api/node-connection.ts";
import { readLog } from "../logs/read-log.ts";
import type { ContainerRunner } from "../pod/container-runner.ts";
import type { PodRunner } from "../pod/pod-runner.ts";
import type { RunningContainer } from "../runtime.ts";
import type { UsageMeter } from "./usage-meter.ts";

export interface NodeConnectionDeps {
  readonly runner: (uid: string) => PodRunner | undefined;
  readonly usage: UsageMeter;
}

/** Answers the API server's questions about pods from what runs here. */
export function createNodeConnection(deps: NodeConnectionDeps): NodeConnection {
  const find = (
    pod: PodReference,
    name: string,
  ): { readonly runner: PodRunner; readonly container: ContainerRunner } => {
    const runner = deps.runner(pod.uid);
    if (!runner) throw notFound(PodKind, pod.name);
    const container = runner.container(name);
    if (!container) throw badRequest(`container ${name} is not valid for pod ${pod.name}`);
    return { runner, container };
  };
  const running = (pod: PodReference, name: string): RunningContainer => {
    const { container } = find(pod, name);
    const now = container.view.state.running ? container.running : undefined;
    if (!now) throw badRequest(`container ${name} is not running in pod ${pod.name}`);
    return now;
  };

  return {
    async *containerLogs(pod, name, options, signal) {
      const { runner, container } = find(pod, name);
      const path = runner.logPath(name, restartAsked(pod, container, options.previous));
      const live = container.logFile?.path() === path ? container.logFile : undefined;
      await live?.settled();
      yield* readLog(path, options, live, signal);
    },

    exec: (pod, name, command, streams, signal) => running(pod, name).exec(command, { ...streams, signal }),

    async attach(pod, name, streams, signal) {
      const target = running(pod, name);
      const { container } = find(pod, name);
      if (streams.stdin && target.stdin) streams.stdin.pipe(target.stdin, { end: false });
      const stop = container.onOutput((stream, chunk) => void streams[stream]?.write(chunk));
      const left = Promise.withResolvers<void>();
      signal.addEventListener("abort", () => left.resolve(), { once: true });
      await Promise.race([target.exited, left.promise]);
      stop();
      if (target.stdin) streams.stdin?.unpipe(target.stdin);
    },

    async portForward(pod, port, connection, signal) {
      const runner = deps.runner(pod.uid);
      if (!runner) throw notFound(PodKind, pod.name);
      const address = runner.locate(port);
      if (!address) throw badRequest(`pod ${pod.name} has no port ${port}`);
      const socket = connect({ host: address.host, port: address.port, allowHalfOpen: true });
      await new Promise<void>((resolve, reject) => {
        socket.once("connect", resolve);
        socket.once("error", (error) =>
          reject(new Error(`cannot reach port ${port} of pod ${pod.name}: ${error.message}`, { cause: error })),
        );
      });
      const stop = (): void => void socket.destroy();
      signal.addEventListener("abort", stop, { once: true });
      try {
        await Promise.all([pipeline(connection, socket, { end: true }), pipeline(socket, connection, { end: true })]);
      } catch (error) {
        if (!isHangUp(error)) throw error;
      } finally {
        signal.removeEventListener("abort", stop);
        socket.destroy();
      }
    },

    usage: () => deps.usage.pods(),
    nodeUsage: () => deps.usage.node(),
  };
}

/**
 * Whether one of two that talk has gone. That ends a forwarded connection and is no failure of forwarding: told as
 * one, it would make kubectl (since 1.23) give up its port for all other connections.
 */
function isHangUp(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "ERR_STREAM_PREMATURE_CLOSE" || code === "ECONNRESET" || code === "EPIPE";
}

/** Which start's log is meant; in the kubelet's words when there is none. */
function restartAsked(pod: PodReference, container: ContainerRunner, previous: boolean): number {
  const { view, lastRestart } = container;
  if (lastRestart === undefined) {
    if (previous) throw badRequest(`previous terminated container "${view.name}" in pod "${pod.name}" not found`);
    const reason = view.state.waiting?.reason ?? "ContainerCreating";
    throw badRequest(`container "${view.name}" in pod "${pod.name}" is waiting to start: ${reason}`);
  }
  // While it waits for a restart, the one that ended last is both the current and the previous.
  if (!previous || view.state.waiting) return lastRestart;
  if (lastRestart === 0 || view.lastState.terminated === undefined) {
    throw badRequest(`previous terminated container "${view.name}" in pod "${pod.name}" not found`);
  }
  return lastRestart - 1;
}
