import { connect, createServer, type Server } from "node:net";

/**
 * One port for a debugger, whichever version answers: each version's own debugger listens on a port of its own, since
 * the old one may still be stopped at a breakpoint when the new one starts. Connections made before a swap stay with
 * the version they were made to and end with it; debuggers that reconnect find the new one.
 */
export async function startInspectorRelay(port: number, current: () => Promise<number | undefined>): Promise<Server> {
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    void current().then((to) => {
      if (to === undefined) {
        socket.destroy();
        return;
      }
      const inner = connect(to, "127.0.0.1");
      inner.on("error", () => socket.destroy());
      socket.once("close", () => inner.destroy());
      inner.once("close", () => socket.destroy());
      socket.pipe(inner).pipe(socket);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  return server;
}
