/** Sends events one behind the other on each of some connections, as fast as they are taken, and keeps what was taken. */
import { Agent, request } from "node:http";

export interface EventLoad {
  /** Ids of events that were answered 202. */
  readonly taken: readonly string[];
  /** Resolves when so many are. */
  reached(count: number): Promise<void>;
  /** Sends no more; an event whose answer is still out counts when it comes. */
  stop(): Promise<void>;
}

const lanes = 8;

/** Ids are `PREFIX-LANE-NUMBER`; an event that is not taken is sent again, the next one only after it. */
export function startLoad(port: number, prefix: string): EventLoad {
  const agent = new Agent({ keepAlive: true, maxSockets: lanes });
  const taken: string[] = [];
  const state = { stopped: false, awaited: 0, reached: (): void => undefined };
  const lane = async (at: number): Promise<void> => {
    for (let n = 0; !state.stopped;) {
      const id = `${prefix}-${at}-${n}`;
      // One in twenty is large, so that SQLite's log is emptied into the file now and then.
      const size = n % 20 === 7 ? 60_000 : 1 + ((n * 7919) % 2000);
      if (await send(agent, { port, id, key: `${prefix}-${at}`, data: "x".repeat(size) })) {
        taken.push(id);
        if (taken.length >= state.awaited) state.reached();
        n += 1;
      } else await new Promise((done) => setTimeout(done, 20));
    }
  };
  const done = Promise.all(Array.from({ length: lanes }, (_, at) => lane(at)));
  return {
    taken,
    reached(count) {
      if (taken.length >= count) return Promise.resolve();
      const { promise, resolve } = Promise.withResolvers<void>();
      Object.assign(state, { awaited: count, reached: resolve });
      return promise;
    },
    async stop() {
      state.stopped = true;
      agent.destroy();
      await done;
    },
  };
}

interface Sent {
  readonly port: number;
  readonly id: string;
  readonly key: string;
  readonly data: string;
}

/** Whether it was answered 202. */
const send = (agent: Agent, { port, id, key, data }: Sent): Promise<boolean> =>
  new Promise((resolve) => {
    const headers = {
      "ce-specversion": "1.0",
      "ce-id": id,
      "ce-source": "/crash",
      "ce-type": "t",
      "ce-partitionkey": key,
      "content-type": "text/plain",
      "content-length": data.length,
    };
    request({ host: "127.0.0.1", port, method: "POST", path: "/default/crash", agent, headers }, (response) => {
      response.resume().once("close", () => resolve(response.statusCode === 202 && response.complete));
    })
      .once("error", () => resolve(false))
      .end(data);
  });
