import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { IncomingMessage, ServerResponse } from "node:http";
import { issueCertificate } from "../../../pki/certificate.ts";
import type { ClaimMessage, HostMessage } from "../protocol.ts";
import { becomeFunction } from "./become-function.ts";
import { openClaimDoor, type TakenClaim } from "./claim-door.ts";
import { createDrain } from "./drain.ts";
import { serveFunction } from "./function-server.ts";
import { rehearse } from "./rehearse.ts";
import { rehearseClaim } from "./rehearse-claim.ts";
import { say } from "./say.ts";
import { caVariable, readWaitSettings } from "./wait-settings.ts";
import { installWebGlobals } from "./web-globals.ts";

/** How long a pod may wait for its function. */
const keyDays = 365;

/**
 * Belongs to nobody until a claim brings a function, then serves it. Its key is made here and never leaves this process:
 * nobody who comes into this container, or restarts in it, can be taken for the host that was believed before.
 */
export async function waitForClaim(args: readonly string[]): Promise<void> {
  const { ca, tokenFile, claimPort, ...settings } = readWaitSettings(args, process.env);
  const token = (): string => readFileSync(tokenFile, "utf8").trim();
  // Says at once, and in the pod's log, what each claimer would only find in vain.
  token();
  const name = "ebb-waiting-host";
  const keyed = issueCertificate({ commonName: name, use: "server", hosts: [name], now: Date.now(), days: keyDays });
  const { [caVariable]: _, ...own } = process.env;
  const http = process.getBuiltinModule("node:http");
  const server = http.createServer({ keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0, noDelay: true });
  const drain = createDrain(server);
  for (const signal of ["SIGTERM", "SIGINT"] as const)
    process.on(signal, () => void drain.start().then(() => process.exit(0)));
  installWebGlobals();
  const { port } = settings;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ port, backlog: 4096 }, resolve);
  });
  const serve = (message: ClaimMessage, fail: (error: unknown) => void): Promise<unknown> => {
    becomeFunction(message, port);
    return serveFunction({ server, port, drain, isOpen: true }, message, fail);
  };
  const thrown = (error: unknown): never => {
    throw error;
  };
  await rehearse(async (message) => void (await serve(message, thrown)), { server, port, path: undefined, drain });
  const place = { ...settings, ...keyed, spoolDir: tmpdir(), runtime: process.versions.node };
  await rehearseClaim({ ...place, token: () => "rehearsal" }, async ({ message }) => {
    await serve(inPlace(message, own, settings.appDir), thrown);
    server.removeAllListeners("request");
  });
  server.on("request", notYet);
  await openClaimDoor({ ...place, token, ca, port: claimPort }, (taken) => {
    server.removeAllListeners("request");
    void become(taken, { own, appDir: settings.appDir, port, serve });
  });
  process.stdout.write(`waiting for a function on port ${claimPort}\n`);
}

interface Becoming {
  /** What the container's environment was. */
  readonly own: Readonly<Record<string, string | undefined>>;
  readonly appDir: string;
  readonly port: number;
  serve(message: ClaimMessage, fail: (error: unknown) => void): Promise<unknown>;
}

/** A function that does not load ends the host, as it would end a container of its own. */
async function become(taken: TakenClaim, { own, appDir, port, serve }: Becoming): Promise<void> {
  const began = process.hrtime.bigint();
  const fail = (error: unknown): void => {
    const { reason, text } = say(error);
    const failed = { type: "failed", reason, message: text } satisfies HostMessage;
    taken.answer(failed, () => process.exit(1));
  };
  try {
    await serve(inPlace(taken.message, own, appDir), fail);
  } catch (error) {
    return fail(error);
  }
  const loadMs = Number(process.hrtime.bigint() - began) / 1e6;
  taken.answer({ type: "ready", port, loadMs }, () => undefined);
}

/** The claim as it holds here: over the container's own environment, with the files where they were put. */
function inPlace(
  { env, entry, cwd, modulePaths, ...rest }: ClaimMessage,
  own: Becoming["own"],
  appDir: string,
): ClaimMessage {
  const here = (path: string): string =>
    path === "/app" || path.startsWith("/app/") ? join(appDir, path.slice("/app".length)) : path;
  return {
    ...rest,
    entry: here(entry),
    cwd: here(cwd),
    ...(modulePaths ? { modulePaths: modulePaths.map(here) } : {}),
    env: { ...withoutHoles(own), ...env },
  };
}

const withoutHoles = (env: Becoming["own"]): Record<string, string> =>
  Object.fromEntries(Object.entries(env).filter((pair): pair is [string, string] => pair[1] !== undefined));

function notYet(_request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(503, { "content-type": "text/plain", connection: "close" });
  response.end("this host waits for a function\n");
}
