import type { Duplex, Readable, Writable } from "node:stream";

/** The pod a stream is for; uid guards against a namesake that came later. */
export interface PodReference {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** Query of the log subresource, already checked. */
export interface LogOptions {
  readonly follow: boolean;
  readonly previous: boolean;
  readonly timestamps: boolean;
  /** Milliseconds since the epoch. */
  readonly sinceMs?: number;
  readonly tailLines?: number;
  readonly limitBytes?: number;
  readonly stream: "All" | "Stdout" | "Stderr";
}

export interface ExecStreams {
  readonly stdin?: Readable;
  readonly stdout?: Writable;
  readonly stderr?: Writable;
  readonly tty: boolean;
  readonly resize?: AsyncIterable<TerminalSize>;
}

export interface TerminalSize {
  readonly width: number;
  readonly height: number;
}

/** CPU in nanocores over the last interval, memory in bytes of working set. */
export interface ContainerUsage {
  readonly name: string;
  readonly cpuNanoCores: number;
  readonly memoryBytes: number;
}

export interface PodUsage extends PodReference {
  readonly containers: readonly ContainerUsage[];
}

/**
 * What the API server asks of the node a pod runs on: the second ring of a kubelet. The node agent implements it;
 * standalone it is called in process. Everything throws ApiError (404 no such container, 400 bad request).
 */
export interface NodeConnection {
  /** Bytes of the log as kept, one chunk or more per line; ends when the container has ended or the signal fires. */
  containerLogs(
    pod: PodReference,
    container: string,
    options: LogOptions,
    signal: AbortSignal,
  ): AsyncIterable<Uint8Array>;
  /** Runs a command in the container's environment; resolves with its exit code when its output is flushed. */
  exec(
    pod: PodReference,
    container: string,
    command: readonly string[],
    streams: ExecStreams,
    signal: AbortSignal,
  ): Promise<number>;
  /** Joins the container's own streams; resolves when the container ends or the client leaves. */
  attach(pod: PodReference, container: string, streams: ExecStreams, signal: AbortSignal): Promise<void>;
  /** Connects one TCP connection to a port of the pod and copies both ways until either side ends. */
  portForward(pod: PodReference, port: number, connection: Duplex, signal: AbortSignal): Promise<void>;
  usage(): readonly PodUsage[];
  nodeUsage(): Omit<ContainerUsage, "name">;
}
