import { request, type IncomingMessage } from "node:http";
import { request as requestOverTls } from "node:https";
import { connect as connectTls } from "node:tls";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import {
  CommandError,
  firstArg,
  textOption,
  type Command,
  type CommandContext,
  type CommandInput,
} from "../command.ts";
import type { RouterWay } from "../cluster/router-way.ts";
import { connect } from "../connect.ts";
import { findService, namespaceOf } from "../find-service.ts";
import { makeRequest, type InvokeRequest } from "../make-request.ts";
import { homeOf, jsonOption, namespaceOption, runningOf, targetOptions } from "../target.ts";
import { splitTiming, timingWords } from "../timing.ts";

export const invoke: Command = {
  name: "invoke",
  summary: "call a service and print its answer",
  description:
    "Calls a service through the router and prints the body of its answer. With any part of a CloudEvent (--event, --type, --source, --id, --subject, --extension) the data is sent as one. Exit code 1 when the service answers 400 or more.",
  args: [{ name: "<service>", summary: "name of the Service" }],
  options: [
    namespaceOption,
    { flags: "-p, --path <path>", summary: "path and query", default: "/" },
    { flags: "-X, --method <method>", summary: "HTTP method (default GET, or POST with data)" },
    { flags: "-d, --body <text>", summary: "body; @file sends a file, - standard input" },
    { flags: "--content-type <type>", summary: "of the data (default: application/json when it is JSON)" },
    { flags: "-H, --header <name:value>", summary: "request header; may be repeated", repeat: true },
    { flags: "--event", summary: "send a CloudEvent" },
    { flags: "--type <type>", summary: "type of the event (default dev.ebb.invoke)" },
    { flags: "--source <uri>", summary: "source of the event (default /ebb/invoke)" },
    { flags: "--id <id>", summary: "id of the event (default: a new one)" },
    { flags: "--subject <text>", summary: "subject of the event" },
    { flags: "--extension <name=value>", summary: "further attribute of the event; may be repeated", repeat: true },
    { flags: "--structured", summary: "send the event as one JSON object instead of headers and body" },
    { flags: "-i, --include", summary: "print status and headers too" },
    { flags: "--timing", summary: "print where the time went: queue, wake, run" },
    { ...jsonOption, summary: "print status, headers, body and timing as JSON" },
    ...targetOptions,
  ],
  examples: [
    'ebb invoke hello --path "/?name=you" --timing',
    `ebb invoke api -d '{"n":1}'`,
    "ebb invoke orders --type order.placed --source /shop -d @order.json",
  ],
  run: async (context, input) => {
    const message = await makeRequest(context, input);
    const { url: service, way } = await wayTo(context, input);
    const url = new URL(textOption(input, "path") ?? "/", way.origin);
    const { answer, connectedMs, firstByteMs } = await send(way, { url, host: service.host, message }, context.signal);
    const timing = (): ReturnType<typeof splitTiming> => {
      const header = answer.headers["server-timing"];
      return splitTiming(
        typeof header === "string" ? header : header?.join(", "),
        firstByteMs,
        performance.now() - connectedMs,
      );
    };
    const status = answer.statusCode ?? 0;
    if (input.options["json"] === true) {
      const body = await buffer(answer);
      context.print(JSON.stringify({ status, headers: answer.headers, ...bodyField(body), timing: timing() }));
      return status >= 400 ? 1 : 0;
    }
    if (input.options["include"] === true) printHead(context, answer);
    await pipeline(answer, context.stdout, { end: false });
    if (input.options["timing"] === true) context.note(timingWords(timing()));
    if (status >= 400 && input.options["include"] !== true) context.note(`ebb: the service answered ${status}`);
    return status >= 400 ? 1 : 0;
  },
};

function printHead(context: CommandContext, answer: IncomingMessage): void {
  context.print(`HTTP/${answer.httpVersion} ${answer.statusCode} ${answer.statusMessage}`);
  for (let i = 0; i < answer.rawHeaders.length; i += 2)
    context.print(`${answer.rawHeaders[i]}: ${answer.rawHeaders[i + 1]}`);
  context.print("");
}

/** Text as it is; bytes that are none in base64. */
function bodyField(body: Buffer): { readonly body: string } | { readonly bodyBase64: string } {
  const text = body.toString("utf8");
  return Buffer.from(text).equals(body) ? { body: text } : { bodyBase64: body.toString("base64") };
}

/** Where the service is to be found, and how a request gets there. */
async function wayTo(
  context: CommandContext,
  input: CommandInput,
): Promise<{ readonly url: URL; readonly way: RouterWay }> {
  const home = homeOf(context, input);
  const client = await connect(context, input);
  const name = firstArg(input);
  const { status } = await findService(client, namespaceOf(input, client), name);
  if (status?.url === undefined)
    throw new CommandError(`service "${name}" has no URL yet; "ebb describe ${name}" shows why`);
  const url = new URL(status.url);
  if (home.kind === "standalone") {
    // Names like hello.default.localhost do not resolve everywhere: the router is called by address.
    const origin = runningOf(context, input).routerUrl;
    return { url, way: { words: origin, origin, isPublic: true } };
  }
  const { findRouterWay } = await import("../cluster/router-way.ts");
  const way = await findRouterWay(client, url, context.signal);
  if (input.options["timing"] === true) context.note(`through ${way.words}`);
  return { url, way };
}

interface Sent {
  readonly answer: IncomingMessage;
  /** When the connection was there (performance.now), and from then to the first byte. */
  readonly connectedMs: number;
  readonly firstByteMs: number;
}

async function send(
  way: RouterWay,
  { url, host, message }: { readonly url: URL; readonly host: string; readonly message: InvokeRequest },
  signal: AbortSignal,
): Promise<Sent> {
  const { method, headers, body } = message;
  const secure = url.protocol === "https:";
  const servername = host.replace(/:\d+$/, "");
  const raw = await way.connect?.();
  const socket = raw && secure ? connectTls({ socket: raw, servername }) : raw;
  let connectedMs = performance.now();
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const options = {
      method,
      headers: { host, ...headers },
      signal,
      ...(socket ? { createConnection: () => socket } : {}),
      ...(secure ? { servername } : {}),
    };
    const sent = (secure && !socket ? requestOverTls : request)(
      socket ? new URL(`${url.pathname}${url.search}`, "http://router") : url,
      options,
      resolve,
    );
    sent.once("socket", (used) => used.once("connect", () => (connectedMs = performance.now())));
    sent.once("error", (error) =>
      reject(
        signal.aborted
          ? signal.reason
          : new CommandError(`cannot call ${host} through ${way.words}: ${error.message}`, { cause: error }),
      ),
    );
    sent.end(body);
  });
  answer.once("close", () => socket?.destroy());
  return { answer, connectedMs, firstByteMs: performance.now() - connectedMs };
}
