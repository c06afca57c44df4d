/** What people ask of a consumer, whichever process delivers to it. */
import type { ConsumerSpec, StartPosition } from "../../api/eventing/engine.ts";
import { badRequest, serviceUnavailable } from "../../api/meta/errors.ts";
import type { Clock } from "../../client/clock.ts";
import { cursorName, type ConsumerStats, type Engine } from "../event-engine.ts";
import { StoreFailure, type CursorSharing } from "../log/event-store.ts";
import { NoSuchPosition } from "../log/start-position.ts";
import { NobodyListens, type AskingBus } from "./bus.ts";

type Key = ConsumerSpec["key"];

export interface ConsumerDesk {
  /** Undefined: there is no such consumer. */
  stats(key: Key): Promise<ConsumerStats | undefined>;
  /** False: there is no such consumer. Throws 400 for a start that there is not, 503 where it is not known to have worked. */
  replay(key: Key, start: StartPosition): Promise<boolean>;
  redrive(key: Key, seq: number): Promise<Redriven>;
}

export type Redriven =
  | { readonly kind: "delivered" }
  | { readonly kind: "failed"; readonly reason: string }
  /** It goes on, and is no dead letter any more when it succeeds. */
  | { readonly kind: "pending" };

/** API servers give a request a minute. */
const redriveMs = 40_000;
/** What another process needs to answer, and to end what it has under way before a consumer changes hands. */
const answerMs = { stats: 3000, replay: 45_000, redrive: redriveMs + 5000 } as const;
/** A consumer whose holder is gone has another one after this. */
const patienceMs = 12_000;
const againMs = 250;

type Question =
  | { readonly ask: "stats"; readonly key: Key }
  | { readonly ask: "replay"; readonly key: Key; readonly start: StartPosition }
  | { readonly ask: "redrive"; readonly key: Key; readonly seq: number };

type Answer =
  | { readonly kind: "elsewhere" }
  | { readonly kind: "unknown" }
  | { readonly kind: "refused"; readonly reason: string }
  | { readonly kind: "unavailable"; readonly reason: string }
  | { readonly kind: "stats"; readonly stats: ConsumerStats }
  | { readonly kind: "moved" }
  | { readonly kind: "redriven"; readonly outcome: Redriven };

export interface DeskDeps {
  readonly engine: Engine;
  readonly clock: Clock;
}

export interface SharedDeskDeps extends DeskDeps {
  readonly bus: AskingBus;
  readonly sharing: Pick<CursorSharing, "peek">;
  /** This process's name. */
  readonly self: string;
}

/** Of one process that has all consumers. */
export const localDesk = (deps: () => DeskDeps): ConsumerDesk => deskOf((question) => answerHere(deps(), question));

/** Of several processes the one answers that holds the consumer's position. */
export function sharedDesk(deps: SharedDeskDeps): ConsumerDesk & { close(): void } {
  const { bus, self } = deps;
  const close = bus.answer(subjectOf(self), (question) => answerHere(deps, question as Question));
  return { ...deskOf((question) => askHolder(deps, question)), close };
}

function deskOf(ask: (question: Question) => Promise<Answer>): ConsumerDesk {
  const asked = async (question: Question): Promise<Answer> => {
    const answer = await ask(question);
    if (answer.kind === "refused") throw badRequest(answer.reason);
    if (answer.kind === "unavailable") throw serviceUnavailable(answer.reason);
    return answer;
  };
  return {
    async stats(key) {
      const answer = await asked({ ask: "stats", key });
      return answer.kind === "stats" ? answer.stats : undefined;
    },
    replay: async (key, start) => (await asked({ ask: "replay", key, start })).kind === "moved",
    async redrive(key, seq) {
      const answer = await asked({ ask: "redrive", key, seq });
      return answer.kind === "redriven"
        ? answer.outcome
        : { kind: "failed", reason: `there is no consumer ${key} any more` };
    },
  };
}

const subjectOf = (process: string): string => `ebb.desk.${process}`;

/** Who holds a position may change while it is asked. What may have been done is not asked for again. */
async function askHolder(deps: SharedDeskDeps, question: Question): Promise<Answer> {
  const { engine, sharing, clock, self } = deps;
  for (const until = clock.steadyMs() + patienceMs; ;) {
    const spec = engine.specOf(question.key);
    if (!spec) return { kind: "unknown" };
    const holder = (await sharing.peek(cursorName(spec)))?.holder;
    const answer = holder === self ? await answerHere(deps, question) : await askOther(deps, holder, question);
    if (answer.kind !== "elsewhere") return answer;
    if (clock.steadyMs() > until)
      return {
        kind: "unavailable",
        reason: `nobody delivers to ${question.key} at the moment; ask again in a few seconds`,
      };
    await new Promise<void>((resolve) => clock.after(againMs, resolve));
  }
}

async function askOther(
  { bus }: Pick<SharedDeskDeps, "bus">,
  holder: string | undefined,
  question: Question,
): Promise<Answer> {
  if (holder === undefined) return { kind: "elsewhere" };
  try {
    return (await bus.ask(subjectOf(holder), question, answerMs[question.ask])) as Answer;
  } catch (error) {
    if (error instanceof NobodyListens) return { kind: "elsewhere" };
    // Nothing comes of asking for facts twice.
    if (question.ask === "stats") return { kind: "elsewhere" };
    const why = error instanceof Error ? error.message : String(error);
    return {
      kind: "unavailable",
      reason: `${holder}, which delivers to ${question.key}, did not answer (${why}); it may do so still: look before asking again`,
    };
  }
}

async function answerHere({ engine, clock }: DeskDeps, question: Question): Promise<Answer> {
  const { key } = question;
  const stats = engine.consumers().find((one) => one.key === key);
  if (question.ask !== "replay" && !stats) return { kind: engine.specOf(key) ? "elsewhere" : "unknown" };
  switch (question.ask) {
    case "stats":
      return stats ? { kind: "stats", stats } : { kind: "elsewhere" };
    case "replay":
      return await replayHere(engine, key, question.start);
    case "redrive":
      return { kind: "redriven", outcome: await redriveHere({ engine, clock }, key, question.seq) };
    default:
      return question satisfies never;
  }
}

async function replayHere(engine: Engine, key: Key, start: StartPosition): Promise<Answer> {
  try {
    return { kind: await engine.replay(key, start) };
  } catch (error) {
    if (error instanceof NoSuchPosition) return { kind: "refused", reason: error.message };
    if (error instanceof StoreFailure) return { kind: "unavailable", reason: error.message };
    throw error;
  }
}

async function redriveHere({ engine, clock }: DeskDeps, key: Key, seq: number): Promise<Redriven> {
  const { promise: late, resolve } = Promise.withResolvers<Redriven>();
  const cancel = clock.after(redriveMs, () => resolve({ kind: "pending" }));
  const done = engine
    .redrive(key, seq)
    .then((reason): Redriven => (reason === undefined ? { kind: "delivered" } : { kind: "failed", reason }));
  try {
    return await Promise.race([done, late]);
  } finally {
    cancel();
  }
}
