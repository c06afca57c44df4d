import type { OpenSource, SourceContext } from "../source-reader.ts";
import { connectRedis, type RedisConnection, type RedisSettings } from "./redis-connection.ts";

/** What is read of Redis in one way or another. */
export interface RedisReading {
  /** Reads until the source is closed, waiting on `blocking`; absent: nothing is read. */
  readonly read?: (blocking: RedisConnection) => Promise<void>;
  /** Takes away what was made there for this source alone. */
  forget(): Promise<void>;
}

/** Opens a source on two connections: one for commands, and one that waits for what comes and is cut off at the end. */
export async function openRedis(
  settings: RedisSettings,
  context: SourceContext,
  begin: (commands: RedisConnection) => Promise<RedisReading>,
): Promise<OpenSource> {
  const name = `ebb:${context.namespace}/${context.name}`;
  const lost = (error: Error): void => context.failed(error);
  const commands = await connectRedis(settings, { name, lost });
  try {
    const reading = await begin(commands);
    const ended = reading.read && (await follow(reading.read));
    return {
      async close({ forget }) {
        try {
          await ended?.done;
          if (forget) await reading.forget();
        } finally {
          commands.destroy();
        }
      },
    };
  } catch (error) {
    commands.destroy();
    throw error;
  }

  async function follow(read: NonNullable<RedisReading["read"]>): Promise<{ readonly done: Promise<void> }> {
    const blocking = await connectRedis(settings, { name, lost });
    // What Redis gives out while a waiting command is cut off is found again at the next start.
    context.signal.addEventListener("abort", () => blocking.destroy(), { once: true });
    const done = read(blocking).catch((error: unknown) => {
      if (!context.signal.aborted) context.failed(error);
    });
    return { done };
  }
}
