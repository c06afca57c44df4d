import type { ServerResponse } from "node:http";

const expired = new WeakSet<ServerResponse>();

/** Notes that a request took longer than its timeout and has been answered; the function may be busy with it still. */
export const markExpired = (res: ServerResponse): void => void expired.add(res);

/** Whether nobody waits for what the function still does: the caller has left, or was told that it took too long. */
export const isAbandoned = (res: ServerResponse): boolean => !res.writableFinished || expired.has(res);
