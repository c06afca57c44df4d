/** NatsSource: subscriptions of NATS itself, which keeps nothing: what no sink takes at once is lost, and said to be. */
import { randomUUID } from "node:crypto";
import type { Msg } from "@nats-io/transport-node";
import { sleep } from "../../../client/clock.ts";
import { InFlight } from "../in-flight.ts";
import type { SourceContext, SourceReader } from "../source-reader.ts";
import { connectNats, type NatsSettings } from "./nats-connection.ts";
import { natsEvents } from "./nats-event.ts";

/** `NatsSourceSpec` of src/api/sources/messages-ebb.ts. */
interface SubjectSettings extends NatsSettings {
  readonly subjects: readonly string[];
  readonly queueGroup?: string;
  readonly maxInFlight?: number;
}

const defaultInFlight = 100;
/** Messages that wait for their turn. */
const mostWaiting = 10_000;
const drainMs = 2000;

export const natsReader: SourceReader = {
  kind: "NatsSource",
  leavesNothing: true,
  async open(given, context) {
    const settings = given as SubjectSettings;
    const connection = await connectNats(settings, context);
    const inFlight = new InFlight(settings.maxInFlight ?? defaultInFlight);
    let [waiting, dropped] = [0, 0];
    const take = (message: Msg): void => {
      if (waiting >= mostWaiting) {
        if (dropped++ === 0) context.log.warn("messages of NATS come faster than the sink takes them; some are lost");
        return;
      }
      waiting += 1;
      void inFlight.run(async () => {
        waiting -= 1;
        if (waiting === 0) dropped = 0;
        await deliver(message, context);
      });
    };
    for (const subject of settings.subjects)
      connection.subscribe(subject, {
        callback: (error, message) => (error ? context.failed(error) : take(message)),
        ...(settings.queueGroup ? { queue: settings.queueGroup } : {}),
      });
    // Whoever may not subscribe hears of it now.
    await connection.flush();
    return {
      async close() {
        const limit = AbortSignal.timeout(2 * drainMs);
        const drained = connection.drain();
        await Promise.race([drained, sleep(context.clock, drainMs, limit)]).catch(() => undefined);
        await inFlight.idle();
        await connection.close();
      },
    };
  },
};

async function deliver(message: Msg, context: SourceContext): Promise<void> {
  const plain = {
    id: randomUUID(),
    source: context.sourceOf(),
    time: new Date(context.clock.now()).toISOString(),
  };
  for (const event of natsEvents(message, plain, context.log))
    if ((await context.deliver(event)) === "refused")
      context.log.warn("a message of NATS is lost: no sink took it, and NATS keeps none", { subject: message.subject });
}
