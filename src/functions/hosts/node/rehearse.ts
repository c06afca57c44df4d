import type { Server } from "node:http";
import type { NetConnectOpts } from "node:net";
import type { ClaimMessage } from "../protocol.ts";
import type { Drain } from "./drain.ts";

/** What a host does with a claim, up to serving. */
type Serve = (message: ClaimMessage, port: number) => Promise<void>;

interface Stage {
  readonly server: Server;
  readonly port: number;
  /** Where requests will come in, if not by the port. */
  readonly path: string | undefined;
  readonly drain: Drain;
}

/** After three, another makes the claim of a real function no faster. */
export const rehearsals = 3;

/** Beside the program; as modules are kept by their names, each round needs another. */
export const rehearsalName = (round: number): string => `rehearsal-${round}.mjs`;

/**
 * Claims a function of one line, and asks it something over the network, while nobody waits: a host then goes the way
 * of a claim and its first request for the second time when it matters. The engine compiles what is called first when
 * it is called, Node loads parts of itself when they are first used, and each would be paid by the first caller.
 */
export async function rehearse(serve: Serve, { server, port, path, drain }: Stage): Promise<void> {
  const { dirname, join } = process.getBuiltinModule("node:path");
  const env = { ...process.env };
  const where = path === undefined ? { port, host: "127.0.0.1" } : { path };
  for (let round = 0; round < rehearsals; round++) {
    const message = {
      type: "claim",
      entry: join(dirname(process.argv[1] ?? ""), rehearsalName(round)),
      model: "auto",
      env,
      cwd: "/",
      compileCache: "",
      loadTimeoutMs: 10_000,
    } as const;
    await serve(JSON.parse(JSON.stringify(message)) as ClaimMessage, port);
    await ask(where);
    server.removeAllListeners("request");
  }
  // Next to the web-standard functions the most common, with the most between claim and answer.
  const { lambdaRehearsal } = await import("../../models/lambda/lambda-rehearsal.ts");
  server.on("request", lambdaRehearsal(drain));
  for (let round = 1; round < rehearsals; round++) await ask(where);
  server.removeAllListeners("request");
}

function ask(where: NetConnectOpts): Promise<void> {
  const { connect } = process.getBuiltinModule("node:net");
  return new Promise((resolve) => {
    const socket = connect(where);
    socket.once("error", () => resolve());
    socket.once("close", () => resolve());
    socket.resume();
    socket.end("GET / HTTP/1.1\r\nhost: localhost\r\nx-forwarded-for: 127.0.0.1\r\nconnection: close\r\n\r\n");
  });
}
