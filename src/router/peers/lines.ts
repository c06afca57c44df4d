import type { Socket } from "node:net";

/** A peer that says more than this without a line's end is none. */
const lineBytes = 1_048_576;

/** Calls `onLine` for each line of JSON that comes; what is no JSON, or too long, ends the socket. */
export function readLines(socket: Socket, onLine: (value: unknown) => void): void {
  let rest = "";
  socket.setEncoding("utf8");
  socket.on("data", (text: string) => {
    rest += text;
    try {
      for (let end = rest.indexOf("\n"); end >= 0 && !socket.destroyed; end = rest.indexOf("\n")) {
        const line = rest.slice(0, end);
        rest = rest.slice(end + 1);
        onLine(JSON.parse(line));
      }
      if (rest.length > lineBytes) throw new Error("a line without an end");
    } catch (error) {
      socket.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  });
}

export function writeLine(socket: Socket, value: object): void {
  if (socket.writable) socket.write(`${JSON.stringify(value)}\n`);
}
