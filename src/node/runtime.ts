/**
 * The seam between the pod machinery and what runs one container: a process on this machine, later a container of an
 * OCI runtime. Everything about pods (order, restarts, probes, status) stays above it.
 */
import type { Readable, Writable } from "node:stream";
import type { PodSpec, SecurityContext } from "../api/core/types.gen.ts";

export interface NetAddress {
  readonly host: string;
  readonly port: number;
  /** A socket of the Unix domain where the same is served for less: for those who carry many requests. */
  readonly path?: string;
}

/** What a container may use; absent means without limit. */
export interface Limits {
  /** Thousandths of a CPU. */
  readonly cpuMillis?: number;
  readonly memoryBytes?: number;
}

/** A directory or file that is to appear in the container. */
export interface Mount {
  readonly hostPath: string;
  readonly mountPath: string;
  readonly readOnly: boolean;
}

export interface ContainerStart {
  /** Unique for every start; names directories and cgroups. */
  readonly id: string;
  /** For people, in process lists and log fields: `namespace/pod/container`. */
  readonly title: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly workingDir?: string;
  readonly env: Readonly<Record<string, string>>;
  /** The container takes requests: it gets a port of its own in PORT and {@link RunningContainer.address} names it. */
  readonly serving: boolean;
  /** Nothing says whether it takes requests; if its image exposes 8080 it gets a port in PORT all the same. */
  readonly mayServe?: boolean;
  /** The port a serving container declares. In a network of its own that is PORT, else PORT is some free one. */
  readonly port?: number;
  /** What {@link ContainerRuntime.prepare} gave its pod, if anything. */
  readonly network?: PodNetwork;
  readonly limits: Limits;
  readonly security: SecurityContext;
  readonly mounts: readonly Mount[];
  /** The container's own directory, for its home and temp; removed by the caller when the container is gone. */
  readonly dir: string;
  readonly output: OutputSink;
  /** Keep standard input open for `attach`. */
  readonly stdin: boolean;
}

/** Takes what the container prints. Never blocks; chunks need not end with a line. */
export type OutputSink = (stream: "stdout" | "stderr", chunk: Buffer) => void;

export interface ContainerExit {
  /** 0–255; 128 + signal number when ended by a signal. */
  readonly exitCode: number;
  readonly signal?: number;
  readonly finishedAtMs: number;
  readonly oomKilled: boolean;
  /** Set when the runtime knows better than the exit code why: `ImportFailed`, `PortIgnored`… */
  readonly cause?: { readonly reason: string; readonly message: string };
}

export interface RunningContainer {
  readonly id: string;
  readonly imageId: string;
  readonly startedAtMs: number;
  /** Where the program serves or may; only for containers with a PORT, and for those with `serves` only once that resolved. */
  readonly address: NetAddress | undefined;
  /** A path of the Unix domain to which connections may be made before it serves, if there is one. */
  readonly comingAt?: string;
  /**
   * For programs that say themselves when they serve: resolves then, and never if they end before. Undefined for
   * programs that must be asked by probing.
   */
  readonly serves: Promise<void> | undefined;
  /** Resolves once the process is gone and its output was handed to the sink. */
  readonly exited: Promise<ContainerExit>;
  /** Signals the process group. No effect once it has ended. */
  signal(signal: NodeJS.Signals): void;
  /** CPU time used so far and memory held; undefined once it has ended. */
  usage(): { readonly cpuNanoseconds: number; readonly memoryBytes: number } | undefined;
  /** Runs a command beside the main process, with its environment and limits; resolves with the exit code. */
  exec(command: readonly string[], options: ExecOptions): Promise<number>;
  readonly stdin: Writable | undefined;
  /** Ports the container's processes listen on; undefined when the system cannot tell. */
  listeningPorts(): Promise<readonly number[] | undefined>;
}

export interface ExecOptions {
  readonly stdin?: Readable;
  readonly stdout?: Writable;
  readonly stderr?: Writable;
  readonly tty: boolean;
  readonly resize?: AsyncIterable<{ readonly width: number; readonly height: number }>;
  readonly signal: AbortSignal;
}

/** A container that could not be started, in the words of a pod's status (state.waiting). */
export class ContainerStartError extends Error {
  readonly reason: StartFailureReason;

  constructor(reason: StartFailureReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "ContainerStartError";
    this.reason = reason;
  }
}

export type StartFailureReason =
  | "ErrImagePull"
  | "ErrImageNeverPull"
  | "InvalidImageName"
  | "CreateContainerConfigError"
  | "CreateContainerError"
  | "RunContainerError";

/** A network that the containers of one pod share and nobody else. */
export interface PodNetwork {
  readonly ip: string;
  /** Where this machine reaches a port of the pod. */
  address(port: number): NetAddress;
  /** When the last of its containers has ended. May be called more than once. */
  close(): Promise<void>;
}

/** An event for the people who watch the pod: `Pulling`, `Pulled`. */
export type TellPod = (reason: string, message: string, container: string) => void;

export interface ContainerRuntime {
  /** `ebb-process`: the scheme of container ids, and in node info. */
  readonly name: string;
  /**
   * Before the first container of a pod: fetches images that are missing, and gives the pod a network of its own if
   * its images need one; undefined when its containers use the machine's. Throws ContainerStartError.
   */
  prepare(spec: PodSpec, tell: TellPod, namespace: string): Promise<PodNetwork | undefined>;
  /** Starts one container. Throws ContainerStartError; anything else thrown is a fault of ours. */
  start(request: ContainerStart): Promise<RunningContainer>;
}
