import type { IncomingMessage, Server, ServerResponse } from "node:http";

/**
 * Runs the paths a claim and its first request will take, once, while nobody waits: the module loader, the response
 * classes, and a request over the loopback. The engine compiles functions when they are first called, which would
 * otherwise be paid by the first caller.
 */
export async function warmUp(
  server: Server,
  port: number,
  listener: (req: IncomingMessage, res: ServerResponse) => void,
): Promise<void> {
  const empty: string = "data:text/javascript,export default 0";
  await import(empty);
  server.on("request", listener);
  for (let round = 0; round < 3; round++) await requestOnce(port);
  server.off("request", listener);
}

function requestOnce(port: number): Promise<void> {
  const { connect } = process.getBuiltinModule("node:net");
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("error", () => resolve());
    socket.once("close", () => resolve());
    socket.resume();
    socket.end("GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
  });
}
