import { errors, type NatsConnection } from "@nats-io/transport-node";
import type { Logger } from "../../telemetry/logger.ts";
import { NobodyListens, type AskingBus } from "../sharing/bus.ts";

/** Core NATS: nothing is kept, and what is said while the server is away is not said. */
export function natsBus(connection: NatsConnection, log: Logger): AskingBus {
  const listen = (subject: string, take: (text: string, respond: (answer: object) => void) => void): (() => void) => {
    const subscription = connection.subscribe(subject, {
      callback: (error, message) => {
        if (error) return log.debug("a message of another dispatcher was not understood", { err: error });
        try {
          take(message.string(), (answer) => void message.respond(JSON.stringify(answer)));
        } catch (err) {
          log.warn("a message of another dispatcher was not understood", { err });
        }
      },
    });
    return () => subscription.unsubscribe();
  };
  return {
    publish(subject, message) {
      // What waited for the server to come back would tell of the past.
      if (!connection.isClosed()) connection.publish(subject, JSON.stringify(message));
    },
    subscribe: (subject, handler) => listen(subject, (text) => handler(JSON.parse(text))),
    async ask(subject, question, timeoutMs) {
      const answer = await connection
        .request(subject, JSON.stringify(question), { timeout: timeoutMs })
        .catch((error: unknown) => {
          throw isUnheard(error) ? new NobodyListens(`nobody answers at ${subject}`, { cause: error }) : error;
        });
      const { error, ...rest } = answer.json<{ readonly error?: string }>();
      if (error !== undefined) throw new Error(error);
      return rest;
    },
    answer: (subject, handler) =>
      listen(subject, (text, respond) => {
        handler(JSON.parse(text)).then(respond, (error: unknown) =>
          respond({ error: error instanceof Error ? error.message : String(error) }),
        );
      }),
  };
}

/** The client wraps what the server says. */
const isUnheard = (error: unknown): boolean =>
  error instanceof errors.NoRespondersError ||
  (error instanceof errors.RequestError && error.cause instanceof errors.NoRespondersError);
