import { readFileSync } from "node:fs";
import { CloudEventError, type CloudEvent } from "../../api/cloudevents/cloud-event.ts";
import { fromJson } from "../../api/cloudevents/parse-http.ts";
import { TriggerKind } from "../../api/eventing/kinds.ts";
import { brokerNameOf } from "../../api/eventing/trigger-definition.ts";
import type { Trigger } from "../../api/eventing/types.gen.ts";
import { isNotFound } from "../../api/meta/errors.ts";
import { conditionOf } from "../../api/serving/conditions.ts";
import type { HttpClient } from "../../client/http-client.ts";
import { explainTrigger } from "../../main/explain-trigger.ts";
import { CommandError, firstArg, textOption, type Command, type CommandContext } from "../command.ts";
import { connect } from "../connect.ts";
import { namespaceOf } from "../find-service.ts";
import { jsonOption, namespaceOption, targetOptions } from "../target.ts";

const explain: Command = {
  name: "explain",
  summary: "say whether an event passes a Trigger's filter, and which line decides",
  description:
    "Puts an event, given as JSON (the structured form: specversion, id, source, type, extensions, data), to the filter of a Trigger and prints every line of the filter with what it asks for and what the event has. Exits with 1 when the event does not pass.",
  args: [{ name: "<trigger>", summary: "name of the Trigger" }],
  options: [
    { flags: "--event <file>", summary: "the event; - is standard input" },
    namespaceOption,
    jsonOption,
    ...targetOptions,
  ],
  examples: [
    "ebb trigger explain paid --event order.json",
    "ebb events tail --json | head -1 | ebb trigger explain paid --event -",
  ],
  run: async (context, input) => {
    const event = await readEvent(context, textOption(input, "event"));
    const client = await connect(context, input);
    const trigger = await findTrigger(client, namespaceOf(input, client), firstArg(input));
    const { passed, lines } = explainTrigger(trigger, event);
    if (input.options["json"] === true) context.print(JSON.stringify({ passed, lines }));
    else {
      for (const line of lines) context.print(`${line.passed ? "✓" : "✗"} ${line.path}: ${line.because}`);
      const { name } = trigger.metadata;
      const broker = brokerNameOf(trigger);
      context.print(
        passed ? `the event passes: Broker ${broker} would deliver it by ${name}` : `the event does not pass ${name}`,
      );
      noteTrouble(context, trigger);
    }
    return passed ? 0 : 1;
  },
};

async function findTrigger(client: HttpClient, namespace: string, name: string): Promise<Trigger> {
  try {
    return await client.get(TriggerKind, { namespace, name });
  } catch (error) {
    if (!isNotFound(error)) throw error;
    const { items } = await client.list(TriggerKind, { namespace });
    const names = items.map(({ metadata }) => metadata.name);
    const there = names.length === 0 ? "there is none" : `there are ${names.join(", ")}`;
    throw new CommandError(`no Trigger "${name}" in namespace "${namespace}": ${there}`, { cause: error });
  }
}

/** A filter may be right and nothing delivered all the same. */
function noteTrouble({ note }: CommandContext, trigger: Trigger): void {
  const ready = conditionOf(trigger, "Ready");
  if (ready && ready.status !== "True")
    note(`the Trigger is not ready: ${[ready.reason, ready.message].filter(Boolean).join(": ")}`);
}

async function readEvent(context: CommandContext, file: string | undefined): Promise<CloudEvent> {
  if (file === undefined)
    throw new CommandError("give the event: --event FILE, or - for standard input", { exitCode: 2 });
  const text = file === "-" ? await readAll(context.stdin) : readText(file);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new CommandError(`${file} is not JSON: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
  try {
    return fromJson(unwrapped(value));
  } catch (error) {
    if (error instanceof CloudEventError)
      throw new CommandError(`${file} is no event: ${error.message}`, { cause: error });
    throw error;
  }
}

/** A line of `ebb events tail --json` has the event in it. */
function unwrapped(value: unknown): unknown {
  if (typeof value !== "object" || value === null || "specversion" in value || !("event" in value)) return value;
  return value.event;
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new CommandError(`cannot read ${file}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}

async function readAll(stream: NodeJS.ReadableStream): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(Buffer.from(part));
  return Buffer.concat(parts).toString("utf8");
}

export const trigger: Command = {
  name: "trigger",
  summary: "look into Triggers: why an event passes one or not",
  commands: [explain],
};
