/** Replies that reach another process than the one whose caller waits for them. */
import type { AskingBus } from "../sharing/bus.ts";
import type { Members } from "../sharing/members.ts";
import { formatStored } from "../wire/format-stored.ts";
import { parseStoredEvents } from "../wire/parse-stored.ts";
import type { StoredEvent } from "../wire/stored-event.ts";

export interface ReplyRelay {
  /** This process, as it stands in what replies bring back: no colon in it. */
  readonly self: string;
  /** Hands the reply to that process; it is taken there, or nobody waits for it. Rejects while that is not known. */
  pass(to: string, name: string, reply: StoredEvent): Promise<void>;
  close(): void;
}

interface Passed {
  readonly name: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Base64. */
  readonly body: string;
}

const passMs = 5000;
const subjectOf = (name: string): string => `ebb.replies.${name.replaceAll(".", "_")}`;

export function createReplyRelay(
  { bus, members }: { readonly bus: AskingBus; readonly members: Pick<Members, "self" | "isThere"> },
  hear: (name: string, reply: StoredEvent) => void,
): ReplyRelay {
  const end = bus.answer(subjectOf(members.self), async (message) => {
    const { name, headers, body } = message as Passed;
    const [reply] = parseStoredEvents(headers, Buffer.from(body, "base64"));
    if (reply) hear(name, reply);
    return {};
  });
  return {
    self: members.self,
    async pass(to, name, reply) {
      // One that is gone has nobody who waits.
      if (!members.isThere(to)) return;
      const { headers, body } = formatStored(reply);
      const passed: Passed = { name, headers, body: Buffer.from(body).toString("base64") };
      await bus.ask(subjectOf(to), passed, passMs);
    },
    close: end,
  };
}
