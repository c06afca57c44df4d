import { readFile } from "node:fs/promises";
import { request, type IncomingMessage } from "node:http";
import { pipeline } from "node:stream/promises";
import { isNotFound } from "../../api/meta/errors.ts";
import { KnativeServiceKind } from "../../api/serving/kinds.ts";
import {
  CommandError,
  firstArg,
  listOption,
  textOption,
  type Command,
  type CommandContext,
  type CommandInput,
} from "../command.ts";
import { connect } from "../connect.ts";
import { namespaceOption, runningOf, targetOptions } from "../target.ts";

export const invoke: Command = {
  name: "invoke",
  summary: "call a service and print its answer",
  args: [{ name: "<service>", summary: "name of the Service" }],
  options: [
    namespaceOption,
    { flags: "-p, --path <path>", summary: "path and query", default: "/" },
    { flags: "-X, --method <method>", summary: "HTTP method (default GET, or POST with data)" },
    { flags: "-d, --body <text>", summary: "body; @file sends a file, - standard input" },
    { flags: "-H, --header <name:value>", summary: "request header; may be repeated", repeat: true },
    { flags: "-i, --include", summary: "print status and headers too" },
    { flags: "--timing", summary: "print how long the answer took" },
    ...targetOptions,
  ],
  examples: ['ebb invoke hello --path "/?name=you"', `ebb invoke api -d '{"n":1}' -H content-type:application/json`],
  run: async (context, input) => {
    const running = runningOf(context, input);
    const url = await urlOf(context, input);
    const body = await bodyOf(context, textOption(input, "body"));
    const started = performance.now();
    const answer = await send(
      new URL(textOption(input, "path") ?? "/", running.routerUrl),
      url.host,
      input,
      body,
      context.signal,
    );
    const firstByteMs = performance.now() - started;
    if (input.options["include"] === true) {
      context.print(`HTTP/${answer.httpVersion} ${answer.statusCode} ${answer.statusMessage}`);
      for (let i = 0; i < answer.rawHeaders.length; i += 2)
        context.print(`${answer.rawHeaders[i]}: ${answer.rawHeaders[i + 1]}`);
      context.print("");
    }
    await pipeline(answer, context.stdout, { end: false });
    if (input.options["timing"] === true)
      context.note(`first byte ${firstByteMs.toFixed(1)} ms, all ${(performance.now() - started).toFixed(1)} ms`);
    const status = answer.statusCode ?? 0;
    if (status >= 400 && input.options["include"] !== true) context.note(`ebb: the service answered ${status}`);
    return status >= 400 ? 1 : 0;
  },
};

async function urlOf(context: CommandContext, input: CommandInput): Promise<URL> {
  const client = await connect(context, input);
  const name = firstArg(input);
  const namespace = textOption(input, "namespace") ?? "default";
  const service = await client.get(KnativeServiceKind, { namespace, name }).catch((error: unknown) => {
    if (!isNotFound(error)) throw error;
    throw new CommandError(`there is no service "${name}" in namespace ${namespace}; "ebb get" lists what there is`);
  });
  const url = service.status?.url;
  if (url === undefined)
    throw new CommandError(`service "${name}" has no URL yet; "ebb get services ${name}" shows why`);
  return new URL(url);
}

async function bodyOf(context: CommandContext, data: string | undefined): Promise<Uint8Array | undefined> {
  if (data === undefined) return undefined;
  if (data === "-") {
    const chunks: Buffer[] = [];
    for await (const chunk of context.stdin) chunks.push(Buffer.from(chunk));
    return Buffer.concat(chunks);
  }
  return data.startsWith("@") ? await readFile(data.slice(1)) : Buffer.from(data);
}

// Names like hello.default.localhost do not resolve everywhere: the router is called by address, the name goes as Host.
async function send(
  url: URL,
  host: string,
  input: CommandInput,
  body: Uint8Array | undefined,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const headers: Record<string, string> = { "user-agent": "ebb-invoke", accept: "*/*" };
  for (const text of listOption(input, "header")) {
    const at = text.indexOf(":");
    if (at <= 0) throw new CommandError(`--header: "${text}" is not name:value`, { exitCode: 2 });
    headers[text.slice(0, at).trim().toLowerCase()] = text.slice(at + 1).trim();
  }
  if (body) headers["content-length"] = String(body.byteLength);
  const method = textOption(input, "method") ?? (body ? "POST" : "GET");
  return await new Promise((resolve, reject) => {
    const sent = request(url, { method, headers: { host, ...headers }, signal }, resolve);
    sent.once("error", reject);
    sent.end(body);
  });
}
