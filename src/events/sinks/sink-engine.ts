/** The sinks that are open in this process. Nothing listens before there is the first one. */
import { isDeepStrictEqual } from "node:util";
import type { SinkEngine, SinkKey, SinkKind, SinkSpec } from "../../api/eventing/sink-engine.ts";
import type { Client } from "../../client/client.ts";
import type { Clock } from "../../client/clock.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { Sender } from "../delivery/http-sender.ts";
import type { AskingBus } from "../sharing/bus.ts";
import type { Members } from "../sharing/members.ts";
import type { Authorize } from "../ingress/authorize.ts";
import { createJsonataPool, type JsonataPool } from "../transform/jsonata-pool.ts";
import { openAwsSink } from "./aws-sink.ts";
import { lookAtJob, openJobSink } from "./job-sink.ts";
import { openLogSink } from "./log-sink.ts";
import { createReplyRelay, type ReplyRelay } from "./reply-relay.ts";
import { answerWaiter, openRequestReply, type ReplyWaiters } from "./request-reply-sink.ts";
import type { OpenSink } from "./sink-action.ts";
import { createSinkFront, sinkUrl, type SinkFront } from "./sink-front.ts";
import { openTransformSink } from "./transform-sink.ts";

export interface SinkEngineDeps {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Logger;
  /** Where IntegrationSinks write events: their own level decides, not that of ebb's messages. */
  readonly eventLog: Logger;
  readonly sender: Sender;
  /** Enforces the rules of who may send. */
  readonly authorize?: Authorize;
  /** The processes that take requests of RequestReplies, where there are several. */
  readonly others?: { readonly bus: AskingBus; readonly members: Pick<Members, "self" | "isThere"> };
  /** Where the front listens, once there is a sink. */
  readonly listen: { readonly host: string; readonly port: number };
  /** The front takes events there from now on. */
  onListening(at: { readonly host: string; readonly port: number }): void;
}

export interface Sinks extends SinkEngine {
  close(ms: number): Promise<void>;
}

export function createSinkEngine(deps: SinkEngineDeps): Sinks {
  return new EventSinks(deps);
}

class EventSinks implements Sinks {
  readonly #deps: SinkEngineDeps;
  readonly #open = new Map<SinkKey, { readonly spec: SinkSpec; readonly sink: OpenSink }>();
  readonly #waiters: ReplyWaiters = new Map();
  readonly #relay: ReplyRelay | undefined;
  readonly #front: SinkFront;
  readonly #pool: JsonataPool;
  #listening: Promise<void> | undefined;

  constructor(deps: SinkEngineDeps) {
    this.#deps = deps;
    this.#pool = createJsonataPool({}, deps);
    this.#relay =
      deps.others && createReplyRelay(deps.others, (name, reply) => void answerWaiter(this.#waiters, name, reply));
    this.#front = createSinkFront({
      log: deps.log,
      accessTo: (key) => this.#open.get(key)?.spec.access,
      ...(deps.authorize ? { authorize: deps.authorize } : {}),
      find: (key) => this.#open.get(key)?.sink,
      look: (kind, path) => this.#look(kind, path),
    });
  }

  async setSink(spec: SinkSpec): Promise<{ readonly url: string }> {
    await (this.#listening ??= this.#listen());
    const before = this.#open.get(spec.key);
    const state = { url: sinkUrl(spec.key) };
    if (before && isDeepStrictEqual(before.spec, spec)) return state;
    const isSame = before?.spec.uid === spec.uid && isDeepStrictEqual(before.spec.action, spec.action);
    this.#open.set(spec.key, { spec, sink: isSame ? before.sink : this.#make(spec) });
    if (!isSame) await before?.sink.close?.();
    return state;
  }

  async removeSink(key: SinkKey, uid: string): Promise<void> {
    const open = this.#open.get(key);
    if (open?.spec.uid !== uid) return;
    this.#open.delete(key);
    await open.sink.close?.();
  }

  async close(ms: number): Promise<void> {
    await this.#front.close(ms);
    this.#relay?.close();
    await Promise.all([...this.#open.values()].map(({ sink }) => sink.close?.()));
    this.#open.clear();
    await this.#pool.close();
  }

  #make({ key, uid, action }: SinkSpec): OpenSink {
    const of = { key, uid };
    switch (action.kind) {
      case "job":
        return openJobSink(of, action.job, this.#deps);
      case "log":
        return openLogSink(of, action.log, this.#deps.eventLog);
      case "aws":
        return openAwsSink(of, action);
      case "transform":
        return openTransformSink(of, action, { pool: this.#pool, sender: this.#deps.sender });
      case "request-reply":
        return openRequestReply(of, action, {
          ...this.#deps,
          waiters: this.#waiters,
          ...(this.#relay ? { relay: this.#relay } : {}),
        });
      default:
        return action satisfies never;
    }
  }

  async #listen(): Promise<void> {
    const { listen, onListening } = this.#deps;
    try {
      const { port } = await this.#front.listen(listen);
      onListening({ host: listen.host, port });
    } catch (error) {
      this.#listening = undefined;
      throw error;
    }
  }

  #look(kind: SinkKind, path: readonly string[]): ReturnType<typeof lookAtJob> {
    return kind === "job-sink" ? lookAtJob(this.#deps.client, path) : undefined;
  }
}
