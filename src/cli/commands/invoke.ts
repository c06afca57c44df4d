import type { IncomingMessage } from "node:http";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import type { RouterWay } from "../cluster/router-way.ts";
import { CommandError, textOption, type Command, type CommandContext } from "../command.ts";
import { makeRequest, type InvokeRequest } from "../make-request.ts";
import { openRequest } from "../send-through.ts";
import { jsonOption, namespaceOption, targetOptions } from "../target.ts";
import { splitTiming, timingWords } from "../timing.ts";
import { wayToService } from "../way-to-service.ts";

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
    { flags: "--async", summary: "do not wait: print the id of the call, for ebb call" },
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
    const wanted = await makeRequest(context, input);
    const later = input.options["async"] === true;
    const message = later ? { ...wanted, headers: { ...wanted.headers, prefer: "respond-async" } } : wanted;
    const { url, way } = await wayToService(context, input);
    const path = pathOf(url, textOption(input, "path") ?? "/");
    const { answer, connectedMs, firstByteMs } = await send({ way, url, path }, message, context.signal);
    const timing = (): ReturnType<typeof splitTiming> => {
      const header = answer.headers["server-timing"];
      return splitTiming(
        typeof header === "string" ? header : header?.join(", "),
        firstByteMs,
        performance.now() - connectedMs,
      );
    };
    const status = answer.statusCode ?? 0;
    if (later && status === 202 && input.options["json"] !== true) {
      await buffer(answer);
      const id = String(answer.headers["x-call-id"]);
      context.print(id);
      context.note(`taken; "ebb call ${id}" tells how it goes`);
      return 0;
    }
    if (input.options["json"] === true) {
      const body = await buffer(answer);
      context.print(JSON.stringify({ status, headers: answer.headers, ...bodyField(body), timing: timing() }));
      return status >= 400 ? 1 : 0;
    }
    if (input.options["include"] === true) printHead(context, answer);
    await pipeline(answer, context.stdout, { end: false });
    if (input.options["timing"] === true) context.note(`${timingWords(timing())}, through ${way.words}`);
    if (status >= 400 && input.options["include"] !== true) context.note(`ebb: the service answered ${status}`);
    return status >= 400 ? 1 : 0;
  },
};

/** Path and query as they go on the wire; a fragment stays here. */
function pathOf(base: URL, text: string): string {
  const { pathname, search } = new URL(text, base);
  return `${pathname}${search}`;
}

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

interface Sent {
  readonly answer: IncomingMessage;
  /** When the connection was there (performance.now), and from then to the first byte. */
  readonly connectedMs: number;
  readonly firstByteMs: number;
}

async function send(
  to: { readonly way: RouterWay; readonly url: URL; readonly path: string },
  { method, headers, body }: InvokeRequest,
  signal: AbortSignal,
): Promise<Sent> {
  const { url, way } = to;
  const failed = (error: Error): Error =>
    new CommandError(`cannot call ${url.host} through ${way.words}: ${error.message}`, { cause: error });
  let connectedMs = performance.now();
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    openRequest(way, url, { method, path: to.path, headers, signal }, resolve).then((sent) => {
      connectedMs = performance.now();
      sent.once("socket", (socket) => socket.once("connect", () => (connectedMs = performance.now())));
      sent.once("error", (error) => reject(signal.aborted ? signal.reason : failed(error)));
      sent.end(body);
    }, reject);
  });
  return { answer, connectedMs, firstByteMs: performance.now() - connectedMs };
}
