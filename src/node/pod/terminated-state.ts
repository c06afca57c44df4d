import type { ContainerStateTerminated } from "../../api/core/types.gen.ts";
import type { ContainerExit } from "../runtime.ts";

export interface TerminatedFacts {
  readonly startedAt: string;
  readonly containerId: string;
  /** The last lines the container printed. */
  readonly tail: (maxLines: number) => string;
  /** The container's memory limit as its spec writes it. */
  readonly memoryLimit?: string | undefined;
  /** What the program wrote to its termination message file. */
  readonly written?: string;
}

/** Bytes kept of a message, and of a log quoted instead of one (kubelet: 4096; 2048 bytes or 80 lines). */
const maxMessageBytes = 4096;
const maxLogBytes = 2048;
const maxLogLines = 80;

/**
 * How a container ended, in the words of its status. The message is what the program left in its message file; when
 * it left nothing and failed, why we know it ended and what it printed last: a pod must say why it does not run, without anyone
 * having to look into logs.
 */
export function terminatedState(exit: ContainerExit, facts: TerminatedFacts): ContainerStateTerminated {
  const message = messageOf(exit, facts);
  return {
    exitCode: exit.exitCode,
    ...(exit.signal === undefined ? {} : { signal: exit.signal }),
    reason: reasonOf(exit),
    ...(message === "" ? {} : { message }),
    startedAt: facts.startedAt,
    finishedAt: `${new Date(exit.finishedAtMs).toISOString().slice(0, 19)}Z`,
    ...(facts.containerId === "" ? {} : { containerID: facts.containerId }),
  };
}

function reasonOf(exit: ContainerExit): string {
  if (exit.oomKilled) return "OOMKilled";
  if (exit.cause) return exit.cause.reason;
  return exit.exitCode === 0 ? "Completed" : "Error";
}

function messageOf(exit: ContainerExit, facts: TerminatedFacts): string {
  if (facts.written) return cut(facts.written, maxMessageBytes);
  if (exit.cause) return cut(exit.cause.message, maxMessageBytes);
  if (exit.exitCode === 0) return "";
  const tail = cutFront(facts.tail(maxLogLines), maxLogBytes);
  if (!exit.oomKilled) return tail;
  // The program had no chance to say it, and its reason alone does not reach a Service's conditions.
  const limit = facts.memoryLimit === undefined ? "" : ` of ${facts.memoryLimit}`;
  return `OOMKilled: it needed more memory than its limit${limit}${tail === "" ? "" : `; its last output:\n${tail}`}`;
}

const cut = (text: string, bytes: number): string => Buffer.from(text).subarray(0, bytes).toString("utf8");
const cutFront = (text: string, bytes: number): string => Buffer.from(text).subarray(-bytes).toString("utf8");
