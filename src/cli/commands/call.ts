import { request, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { CommandError, firstArg, type Command, type CommandContext, type CommandInput } from "../command.ts";
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

function ask(
  context: CommandContext,
  input: CommandInput,
  { method, path }: { readonly method: string; readonly path: string },
): Promise<IncomingMessage> {
  if (homeOf(context, input).kind !== "standalone")
    throw new CommandError("calls are kept by a standalone ebb only, for now; use --data to say which");
  const url = new URL(path, runningOf(context, input).routerUrl);
  const headers = { host: "calls.ebb-system.localhost", "content-length": "0" };
  return new Promise((resolve, reject) => {
    request(url, { method, headers, signal: context.signal }, resolve).once("error", reject).end();
  });
}
