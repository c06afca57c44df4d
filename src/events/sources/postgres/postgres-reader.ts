/** PostgresSource: changes of tables by logical replication, or what is notified on channels. */
import type { PostgresReplication } from "../../../api/sources/types-stores.gen.ts";
import type { OpenSource, SourceContext, SourceReader } from "../source-reader.ts";
import { openListener } from "./notification-listener.ts";
import { connectPostgres, type PostgresSettings } from "./postgres-connection.ts";
import { bringSlot, lagOf, removeSlot, removalOf } from "./replication-slot.ts";
import { ReplicationStream } from "./replication-stream.ts";

/** How often the lag is looked at. */
const lagMs = 15_000;
/** For what was said last to reach the server. */
const endMs = 3000;

export const postgresReader: SourceReader = {
  kind: "PostgresSource",
  leftBehind(given, uid) {
    const { replication } = given as PostgresSettings;
    return replication && removalOf({ replication, uid });
  },
  open(given, context) {
    const settings = given as PostgresSettings;
    const { replication, listen } = settings;
    if (replication) return openReplication(settings, replication, context);
    return openListener(settings, listen ?? { channels: [] }, context);
  },
};

async function openReplication(
  settings: PostgresSettings,
  replication: PostgresReplication,
  context: SourceContext,
): Promise<OpenSource> {
  const name = `ebb ${context.namespace}/${context.name}`;
  const lost = (error: Error): void => context.failed(error);
  const wanted = { replication, uid: context.uid };
  const plain = await connectPostgres(settings, { name, lost });
  try {
    const slot = await bringSlot(plain, wanted);
    const sender = await connectPostgres(settings, { name, replication: true, lost });
    const stream = new ReplicationStream(sender, context, {
      publication: slot.publication,
      most: replication.maxInFlight ?? 1,
    });
    try {
      await stream.start(slot);
    } catch (error) {
      await ended(sender);
      throw new Error(`the replication slot "${slot.slot}" cannot be read: ${messageOf(error)}`, { cause: error });
    }
    const tellLag = async (): Promise<void> => {
      try {
        const facts = await lagOf(plain, slot.slot);
        context.report({ connected: true, facts: { "postgres.slot": slot.slot, ...facts } });
      } catch (error) {
        context.log.debug("the lag of a slot is not known", { reason: messageOf(error) });
      }
      if (!context.signal.aborted) cancel = context.clock.after(lagMs, () => void tellLag());
    };
    let cancel = context.clock.after(0, () => void tellLag());
    return {
      async close({ forget }) {
        cancel();
        await stream.close();
        await ended(sender);
        try {
          if (forget) await forgetSlot(() => removeSlot(plain, wanted), context);
        } finally {
          await ended(plain);
        }
      },
    };
  } catch (error) {
    await ended(plain);
    throw error;
  }
}

/** PostgreSQL takes a moment to notice that nobody reads the slot any more. */
async function forgetSlot(remove: () => Promise<void>, { clock }: SourceContext): Promise<void> {
  const beganMs = clock.steadyMs();
  for (;;) {
    try {
      return await remove();
    } catch (error) {
      const isActive = (error as { readonly code?: unknown }).code === "55006";
      if (!isActive || clock.steadyMs() - beganMs > endMs) throw error;
    }
    await new Promise<void>((resolve) => clock.after(50, resolve));
  }
}

async function ended(client: { end(): Promise<void> }): Promise<void> {
  await Promise.race([
    client.end().catch(() => undefined),
    new Promise((resolve) => setTimeout(resolve, endMs).unref()),
  ]);
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
