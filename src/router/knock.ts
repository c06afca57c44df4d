import { connect } from "node:net";
import type { InstanceAddress } from "./instance.ts";

/** Whether a machine answers at an address. Never rejects. */
export type Knock = (address: InstanceAddress, withinMs: number) => Promise<boolean>;

/**
 * Opens a connection and closes it. It is the kernel that answers, however busy the program is, and a refusal is an answer
 * too: only a machine that is gone, or a network between, swallows the packet.
 */
export const knock: Knock = ({ host, port }, withinMs) =>
  new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (answered: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answered);
    };
    // Timers that are late run before what has come meanwhile is read: that is looked at first.
    const timer = setTimeout(() => setImmediate(() => end(false)), withinMs);
    socket.once("connect", () => end(true));
    socket.once("error", (error: NodeJS.ErrnoException) => end(error.code === "ECONNREFUSED"));
  });
