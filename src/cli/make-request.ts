import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { CommandError, listOption, textOption, type CommandContext, type CommandInput } from "./command.ts";

/** A request as `ebb invoke` sends it. */
export interface InvokeRequest {
  readonly method: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | undefined;
}

/** The request the options of `ebb invoke` describe. Throws CommandErrors with exit code 2 for wrong ones. */
export async function makeRequest(context: CommandContext, input: CommandInput): Promise<InvokeRequest> {
  const body = await readBody(context, textOption(input, "body"));
  const headers = { "user-agent": "ebb-invoke", accept: "*/*", ...readHeaders(input) };
  const method = textOption(input, "method");
  const request = isEvent(input) ? makeEvent(input, headers, body) : { headers: withType(headers, body), body };
  const sized: Record<string, string> = { ...request.headers };
  if (request.body) sized["content-length"] = String(request.body.byteLength);
  return { method: method ?? (request.body ? "POST" : "GET"), headers: sized, body: request.body };
}

async function readBody(context: CommandContext, data: string | undefined): Promise<Uint8Array | undefined> {
  if (data === undefined) return undefined;
  if (data === "-") {
    const chunks: Buffer[] = [];
    for await (const chunk of context.stdin) chunks.push(Buffer.from(chunk));
    return Buffer.concat(chunks);
  }
  if (!data.startsWith("@")) return Buffer.from(data);
  try {
    return await readFile(data.slice(1));
  } catch (error) {
    throw new CommandError(`--body: cannot read "${data.slice(1)}": ${(error as Error).message}`, { cause: error });
  }
}

function readHeaders(input: CommandInput): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const text of listOption(input, "header")) {
    const at = text.indexOf(":");
    if (at <= 0) throw new CommandError(`--header: "${text}" is not name:value`, { exitCode: 2 });
    headers[text.slice(0, at).trim().toLowerCase()] = text.slice(at + 1).trim();
  }
  const type = textOption(input, "contentType");
  return type === undefined ? headers : { ...headers, "content-type": type };
}

/** Data that is JSON is called that, unless the caller says what it is. */
function withType(headers: Record<string, string>, body: Uint8Array | undefined): Record<string, string> {
  if (!body || headers["content-type"] !== undefined || !isJson(body)) return headers;
  return { ...headers, "content-type": "application/json" };
}

function isJson(body: Uint8Array): boolean {
  if (body[0] !== 0x7b && body[0] !== 0x5b) return false;
  try {
    JSON.parse(Buffer.from(body).toString("utf8"));
    return true;
  } catch {
    return false;
  }
}

/** Naming any part of an event makes it one. */
const isEvent = (input: CommandInput): boolean =>
  input.options["event"] === true ||
  ["type", "source", "id", "subject"].some((name) => textOption(input, name) !== undefined) ||
  listOption(input, "extension").length > 0;

/** A CloudEvent in binary mode (HTTP binding §3.1): attributes as headers, data as the body; or as one JSON object. */
function makeEvent(
  input: CommandInput,
  headers: Record<string, string>,
  data: Uint8Array | undefined,
): { readonly headers: Record<string, string>; readonly body: Uint8Array } {
  const subject = textOption(input, "subject");
  const attributes: Record<string, string> = {
    specversion: "1.0",
    id: textOption(input, "id") ?? randomUUID(),
    source: textOption(input, "source") ?? "/ebb/invoke",
    type: textOption(input, "type") ?? "dev.ebb.invoke",
    time: new Date().toISOString(),
    ...(subject === undefined ? {} : { subject }),
    ...extensions(input),
  };
  const typed = withType(headers, data);
  if (input.options["structured"] === true) {
    const type = typed["content-type"] ?? "text/plain";
    const text = Buffer.from(data ?? []).toString("utf8");
    const held =
      data === undefined ? {} : { datacontenttype: type, data: type.includes("json") ? JSON.parse(text) : text };
    const body = Buffer.from(JSON.stringify({ ...attributes, ...held }));
    return { headers: { ...headers, "content-type": "application/cloudevents+json" }, body };
  }
  const ce = Object.fromEntries(Object.entries(attributes).map(([name, value]) => [`ce-${name}`, encodeValue(value)]));
  return { headers: { ...typed, ...ce }, body: data ?? new Uint8Array() };
}

function extensions(input: CommandInput): Record<string, string> {
  return Object.fromEntries(
    listOption(input, "extension").map((text) => {
      const [name = "", ...value] = text.split("=");
      if (!/^[a-z0-9]+$/.test(name) || value.length === 0)
        throw new CommandError(
          `--extension: "${text}" is not name=value, with a name of lower-case letters and digits`,
          {
            exitCode: 2,
          },
        );
      return [name, value.join("=")];
    }),
  );
}

/** HTTP binding §3.1.3.2: space, quote, percent and everything beyond printable ASCII in percent form. */
const encodeValue = (value: string): string =>
  value.replaceAll(/[\s"%]|[^\x21-\x7e]/gu, (c) =>
    [...Buffer.from(c)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join(""),
  );
