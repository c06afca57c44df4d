/** What processes that share the carrying out of calls ask each other. */
import type { Logger } from "../../telemetry/logger.ts";
import type { CursorSharing } from "../log/event-store.ts";
import type { AskingBus } from "../sharing/bus.ts";
import type { ConsumerShares } from "../sharing/consumer-shares.ts";
import type { CallStatus } from "./call.ts";

export interface CallsSharing {
  readonly shares: ConsumerShares;
  /** Who carries out the calls of a queue. */
  readonly sharing: Pick<CursorSharing, "peek">;
  readonly bus: AskingBus;
  /** This process's name. */
  readonly self: string;
  readonly log: Logger;
}

export interface OwnCalls {
  /** Another process has made or opened that queue. */
  onQueue(name: string): void;
  attemptsOf(id: string): number | undefined;
  cancel(id: string): Promise<CallStatus | undefined>;
}

export interface OtherCalls {
  /** This process has opened that queue. */
  tell(name: string): void;
  /** Of a call that is under way elsewhere; undefined where that is not known. */
  attemptsOf(queue: string, id: string): Promise<number | undefined>;
  /** Has whoever carries out the queue end a call; undefined where nobody answers. */
  cancel(queue: string, id: string): Promise<CallStatus | undefined>;
  close(): void;
}

type Question = { readonly ask: "attempts" | "cancel"; readonly id: string };

const queues = "ebb.calls.queues";
const subjectOf = (process: string): string => `ebb.calls.${process}`;
const answerMs = 2000;

export function askOthers({ sharing, bus, self, log }: CallsSharing, own: OwnCalls): OtherCalls {
  const endQueues = bus.subscribe(queues, (message) => {
    const { name, by } = (message ?? {}) as { readonly name?: unknown; readonly by?: unknown };
    if (typeof name === "string" && by !== self) own.onQueue(name);
  });
  const endAnswers = bus.answer(subjectOf(self), async (question) => {
    const { ask, id } = question as Question;
    if (ask === "attempts") return { attempts: own.attemptsOf(id) };
    return { status: await own.cancel(id) };
  });
  const askHolder = async (queue: string, question: Question): Promise<Readonly<Record<string, unknown>>> => {
    const holder = (await sharing.peek(queue))?.holder;
    if (holder === undefined || holder === self) return {};
    try {
      return (await bus.ask(subjectOf(holder), question, answerMs)) as Readonly<Record<string, unknown>>;
    } catch (err) {
      log.debug("who carries out a call did not answer", { queue, holder, err });
      return {};
    }
  };
  return {
    tell: (name) => bus.publish(queues, { name, by: self }),
    attemptsOf: async (queue, id) =>
      (await askHolder(queue, { ask: "attempts", id }))["attempts"] as number | undefined,
    cancel: async (queue, id) => (await askHolder(queue, { ask: "cancel", id }))["status"] as CallStatus | undefined,
    close() {
      endQueues();
      endAnswers();
    },
  };
}
