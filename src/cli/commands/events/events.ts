import { randomUUID } from "node:crypto";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { setTimeout } from "node:timers/promises";
import { eventsApiPath } from "../../../api/eventing/events-api.ts";
import { isApiError, isNotFound } from "../../../api/meta/errors.ts";
import type { HttpClient, RawOptions } from "../../../client/http-client.ts";
import {
  CommandError,
  firstArg,
  listOption,
  numberOption,
  textOption,
  type Command,
  type CommandContext,
  type CommandInput,
} from "../../command.ts";
import { connect } from "../../connect.ts";
import { namespaceOf } from "../../find-service.ts";
import { jsonOption, namespaceOption, targetOptions } from "../../target.ts";

const broker = { name: "[broker]", summary: "name of the Broker (default: default)" };
const trigger = { name: "<trigger>", summary: "name of the Trigger" };
const shared = [namespaceOption, jsonOption, ...targetOptions];

interface Place {
  readonly client: HttpClient;
  /** Of the Broker or Trigger. */
  readonly path: string;
}

async function placeOf(
  context: CommandContext,
  input: CommandInput,
  plural: "brokers" | "triggers",
  name: string,
): Promise<Place> {
  const client = await connect(context, input);
  const namespace = namespaceOf(input, client);
  return { client, path: eventsApiPath(namespace, plural, name) };
}

/** Asks; says what is missing where ebb runs without events. */
async function ask({ client, path }: Place, rest: string, options: RawOptions): ReturnType<HttpClient["raw"]> {
  try {
    return await client.raw(`${path}/${rest}`, options);
  } catch (error) {
    if (isNotFound(error) && /could not find the requested resource/.test(error.message))
      throw new CommandError(
        'events are not served there: install them with "ebb install --events own", and upgrade an older ebb',
        { cause: error },
      );
    throw error;
  }
}

interface Line {
  readonly seq?: number;
  readonly time?: string;
  readonly letter?: {
    readonly seq: number;
    readonly time: string;
    readonly attempts: number;
    readonly status: number;
    readonly reason: string;
  };
  readonly event: Readonly<Record<string, unknown>>;
}

async function* lines(body: Readable): AsyncGenerator<string> {
  for await (const line of createInterface({ input: body, crlfDelay: Infinity })) if (line !== "") yield line;
}

/** `12 10:00:00.000 order /shop 42 {"a":1}`. */
function inWords({ seq, time = "", event }: Line): string {
  const { type, source, id, data, data_base64: base64 } = event;
  const shown = data === undefined ? (base64 === undefined ? "" : `(base64) ${String(base64)}`) : JSON.stringify(data);
  return [seq, time.slice(11, 23), type, source, id, shown.length > 200 ? `${shown.slice(0, 200)}…` : shown]
    .join("  ")
    .trimEnd();
}

const tail: Command = {
  name: "tail",
  summary: "print a Broker's events",
  args: [broker],
  options: [
    { flags: "-f, --follow", summary: "stay and print what comes" },
    { flags: "--tail <n>", summary: "only the last events", default: "20" },
    { flags: "--type <type>", summary: "only events of this type" },
    ...shared,
  ],
  examples: ["ebb events tail -f", "ebb events tail orders --tail 100 --json"],
  run: async (context, input) => {
    const place = await placeOf(context, input, "brokers", input.args[0] ?? "default");
    const type = textOption(input, "type");
    const show = (text: string, line: Line): void => {
      if (type !== undefined && line.event["type"] !== type) return;
      context.print(input.options["json"] === true ? text : inWords(line));
    };
    const from = `tail=${numberOption(input, "tail", 0) ?? 20}`;
    if (input.options["follow"] !== true) await read(place, from, context, show);
    else await follow(place, from, context, show);
  },
};

type Show = (text: string, line: Line) => void;

async function read(place: Place, query: string, { signal }: CommandContext, show: Show): Promise<void> {
  const answer = await ask(place, `log?${query}`, { signal });
  for await (const text of lines(answer.body)) show(text, JSON.parse(text) as Line);
}

const againMs = 1000;

/** What is followed may end: whoever answered was replaced, or something between gave up. It goes on where it was. */
async function follow(place: Place, from: string, context: CommandContext, show: Show): Promise<void> {
  let seen: number | undefined;
  let begun = false;
  while (!context.signal.aborted) {
    try {
      await read(place, `follow=true&${seen === undefined ? from : `after=${seen}`}`, context, (text, line) => {
        begun = true;
        seen = line.seq ?? seen;
        show(text, line);
      });
      begun = true;
    } catch (error) {
      if (context.signal.aborted) return;
      // Who may not, or asks for what is not there, hears so; what was there once is waited for.
      if (!begun || (isApiError(error) && error.code < 500)) throw error;
    }
    await setTimeout(againMs, undefined, { signal: context.signal }).catch(() => undefined);
  }
}

const send: Command = {
  name: "send",
  summary: "send an event to a Broker",
  args: [broker],
  options: [
    { flags: "--type <type>", summary: "type of the event (default dev.ebb.event)" },
    { flags: "--source <uri>", summary: "source of the event (default /ebb/events)" },
    { flags: "--id <id>", summary: "id of the event (default: a new one)" },
    { flags: "--subject <text>", summary: "subject of the event" },
    { flags: "--extension <name=value>", summary: "further attribute; may be repeated", repeat: true },
    { flags: "-d, --body <text>", summary: "data: JSON, or text" },
    ...shared,
  ],
  examples: [`ebb events send --type order.placed -d '{"n":1}'`],
  run: async (context, input) => {
    const place = await placeOf(context, input, "brokers", input.args[0] ?? "default");
    const event = eventOf(input);
    await ask(place, "events", {
      method: "POST",
      contentType: "application/cloudevents+json",
      body: event,
      signal: context.signal,
    });
    context.print(input.options["json"] === true ? JSON.stringify(event) : String(event["id"]));
  },
};

function eventOf(input: CommandInput): Readonly<Record<string, unknown>> {
  const event: Record<string, unknown> = {
    specversion: "1.0",
    id: textOption(input, "id") ?? randomUUID(),
    source: textOption(input, "source") ?? "/ebb/events",
    type: textOption(input, "type") ?? "dev.ebb.event",
    time: new Date().toISOString(),
  };
  const subject = textOption(input, "subject");
  if (subject !== undefined) event["subject"] = subject;
  for (const text of listOption(input, "extension")) {
    const at = text.indexOf("=");
    if (at < 1) throw new CommandError(`--extension must be name=value, not "${text}"`, { exitCode: 2 });
    event[text.slice(0, at)] = text.slice(at + 1);
  }
  const body = textOption(input, "body");
  if (body === undefined) return event;
  try {
    return { ...event, datacontenttype: "application/json", data: JSON.parse(body) as unknown };
  } catch {
    return { ...event, datacontenttype: "text/plain", data: body };
  }
}

interface Stats {
  readonly lag: number;
  readonly delivered: number;
}

const replay: Command = {
  name: "replay",
  summary: "deliver a Trigger's events again, from a point on",
  args: [trigger],
  options: [
    { flags: "--from <where>", summary: "earliest, or now to skip all that waits", default: "earliest" },
    { flags: "--time <time>", summary: "from this time on: RFC 3339" },
    { flags: "--id <id>", summary: "from the event with this id on" },
    ...shared,
  ],
  examples: ["ebb events replay orders", "ebb events replay orders --time 2026-01-31T10:00:00Z"],
  run: async (context, input) => {
    const place = await placeOf(context, input, "triggers", firstArg(input));
    const query = new URLSearchParams();
    for (const name of ["from", "time", "id"]) {
      const value = textOption(input, name);
      if (value !== undefined) query.set(name, value);
    }
    const answer = await ask(place, `replay?${query.toString()}`, { method: "POST", signal: context.signal });
    const stats = (await answer.body.json()) as Stats;
    context.print(input.options["json"] === true ? JSON.stringify(stats) : `${stats.lag} events will be delivered`);
  },
};

const deadLetter: Command = {
  name: "dead-letter",
  summary: "list, deliver again or discard what a Trigger could not deliver",
  description:
    "Events whose attempts are used up and that no dead letter sink took are kept. Without an option they are listed.",
  args: [trigger],
  options: [
    {
      flags: "--redrive [number]",
      summary: "deliver once more, one or all; what is delivered is no dead letter any more",
    },
    { flags: "--discard [number]", summary: "forget, one or all" },
    ...shared,
  ],
  examples: ["ebb events dead-letter orders", "ebb events dead-letter orders --redrive"],
  run: async (context, input) => {
    const place = await placeOf(context, input, "triggers", firstArg(input));
    const { redrive, discard } = input.options;
    const answer = await ask(place, "deadletters", { signal: context.signal });
    let failed = 0;
    for await (const text of lines(answer.body)) {
      const { letter, event } = JSON.parse(text) as Line;
      if (!letter) continue;
      const chosen = redrive ?? discard;
      if (chosen === undefined || chosen === false) {
        const words = `${inWords({ seq: letter.seq, time: letter.time, event })}  (${letter.reason}, ${letter.attempts} attempts)`;
        context.print(input.options["json"] === true ? text : words);
        continue;
      }
      if (chosen !== true && chosen !== String(letter.seq)) continue;
      const method = redrive === undefined ? "DELETE" : "POST";
      const done = await ask(place, `deadletters?seq=${letter.seq}`, { method, signal: context.signal });
      const { reason, pending } = (await done.body.json()) as { readonly reason?: string; readonly pending?: number };
      if (reason !== undefined) failed += 1;
      context.print(`${letter.seq} ${outcomeOf(method, reason, pending !== undefined)}`);
    }
    return failed > 0 ? 1 : 0;
  },
};

function outcomeOf(method: "DELETE" | "POST", reason: string | undefined, isPending: boolean): string {
  if (reason !== undefined) return `failed: ${reason}`;
  if (isPending) return "is being delivered still; it is no dead letter any more once it was";
  return method === "POST" ? "delivered" : "discarded";
}

export const events: Command = {
  name: "events",
  summary: "watch, send, replay and redrive the events of Brokers",
  commands: [tail, send, replay, deadLetter],
};
