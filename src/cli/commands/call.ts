import type { IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { CommandError, firstArg, type Command, type CommandContext, type CommandInput } from "../command.ts";
import type { RouterWay } from "../cluster/router-way.ts";
import { connect } from "../connect.ts";
import { openRequest } from "../send-through.ts";
import { homeOf, jsonOption, runningOf, targetOptions } from "../target.ts";

export const call: Command = {
  name: "call",
  summary: "tell how a call made with invoke --async goes",
  description:
    "Prints the state of an asynchronous call: queued, running, succeeded, failed or cancelled. Exit code 1 when it failed or was cancelled.",
  args: [{ name: "<id>", summary: "what ebb invoke --async printed" }],
  options: [
    { flags: "--result", summary: "print the body of the service's answer" },
    { flags: "--cancel", summary: "end the call; one that is running is cut off" },
    jsonOption,
    ...targetOptions,
  ],
  examples: ["ebb call 1b671a64-40d5-491e-99b0-da01ff1f3341 --result"],
  run: async (context, input) => {
    const id = firstArg(input);
    const { result, cancel } = input.options;
    const answer = await ask(context, input, {
      method: cancel === true ? "DELETE" : "GET",
      path: `/calls/${encodeURIComponent(id)}${result === true ? "/result" : ""}`,
    });
    const status = answer.statusCode ?? 0;
    if (result === true && status !== 404 && answer.headers["x-call-id"] === id) {
      await pipeline(answer, context.stdout, { end: false });
      return status >= 400 ? 1 : 0;
    }
    const body = await text(answer);
    if (status === 404 && !body.startsWith("there is no call") && !body.startsWith("ask for /calls/"))
      throw new CommandError(
        'asynchronous calls are not taken there: install events ("ebb install --events own"), and upgrade an older ebb',
      );
    if (status === 404) throw new CommandError(`there is no call "${id}"; results are kept for a day`);
    if (status >= 300) throw new CommandError(body.trim());
    if (input.options["json"] === true) context.print(body.trim());
    else context.print(inWords(JSON.parse(body) as Told));
    const { state } = JSON.parse(body) as Told;
    return cancel !== true && (state === "failed" || state === "cancelled") ? 1 : 0;
  },
};

interface Told {
  readonly state: string;
  readonly attempts?: number;
  readonly status?: number;
  readonly reason?: string;
}

function inWords({ state, attempts, status, reason }: Told): string {
  const facts = [
    ...(status === undefined ? [] : [`answer ${status}`]),
    ...(attempts === undefined ? [] : [`${attempts} ${attempts === 1 ? "attempt" : "attempts"}`]),
    ...(reason === undefined ? [] : [reason]),
  ];
  return facts.length === 0 ? state : `${state} (${facts.join(", ")})`;
}

/** Where calls are asked after: a name that routers of every home know. */
const host = "calls.ebb-system";

async function ask(
  context: CommandContext,
  input: CommandInput,
  { method, path }: { readonly method: string; readonly path: string },
): Promise<IncomingMessage> {
  const url = new URL(`http://${host}`);
  const way = await routerWay(context, input, url);
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const headers = { "content-length": "0" };
  const sent = await openRequest(way, url, { method, path, headers, signal: context.signal }, resolve);
  sent.once("error", (error) =>
    reject(new CommandError(`cannot reach ${way.words}: ${error.message}`, { cause: error })),
  );
  sent.end();
  return promise;
}

async function routerWay(context: CommandContext, input: CommandInput, url: URL): Promise<RouterWay> {
  if (homeOf(context, input).kind === "standalone") {
    const origin = runningOf(context, input).routerUrl;
    return { words: `the router at ${origin}`, origin, isPublic: true };
  }
  const { findRouterWay } = await import("../cluster/router-way.ts");
  return findRouterWay(await connect(context, input), url, context.signal);
}
