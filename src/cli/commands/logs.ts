import { createInterface } from "node:readline";
import { PodKind } from "../../api/core/kinds.ts";
import type { Pod } from "../../api/core/types.gen.ts";
import { isNotFound } from "../../api/meta/errors.ts";
import type { HttpClient } from "../../client/http-client.ts";
import {
  durationOption,
  firstArg,
  numberOption,
  textOption,
  type Command,
  type CommandContext,
  type CommandInput,
} from "../command.ts";
import { connect } from "../connect.ts";
import { findService, namespaceOf } from "../find-service.ts";
import { jsonOption, namespaceOption, targetOptions } from "../target.ts";

export const logs: Command = {
  name: "logs",
  summary: "print what a service's instances write",
  description:
    "Prints the output of all instances of a service; lines say whose they are as soon as there are several. With -f it stays and joins instances as they start, also after the service has slept.",
  args: [{ name: "<service>", summary: "name of the Service" }],
  options: [
    namespaceOption,
    { flags: "-f, --follow", summary: "stay and print what comes" },
    { flags: "--tail <n>", summary: "only the last lines of each instance" },
    { flags: "--since <duration>", summary: "only what was written in this time, such as 10m" },
    { flags: "--previous", summary: "what instances wrote before they were last restarted" },
    { flags: "--revision <name>", summary: "only instances of this revision" },
    { flags: "--timestamps", summary: "begin each line with its time" },
    { ...jsonOption, summary: "print one JSON object per line of log" },
    ...targetOptions,
  ],
  examples: ["ebb logs hello", "ebb logs -f hello --tail 10", "ebb logs hello --since 5m --json"],
  run: async (context, input) => {
    const client = await connect(context, input);
    const name = firstArg(input);
    const namespace = namespaceOf(input, client);
    const query = queryOf(input);
    await findService(client, namespace, name);
    const revision = textOption(input, "revision");
    const labelSelector = `serving.knative.dev/service=${name}${revision === undefined ? "" : `,serving.knative.dev/revision=${revision}`}`;
    const { items } = await client.list(PodKind, { namespace, labelSelector });
    const output = lineOutput(context, input, items.length > 1);
    if (input.options["follow"] === true) {
      await follow(context, client, { namespace, labelSelector }, { query, output });
      return;
    }
    if (items.length === 0) context.note(`${name} is asleep: it has no instance now, and so no log; -f waits for one`);
    for (const pod of items) await copyLog(context, client, pod, { query, output });
  },
};

interface Reading {
  readonly query: string;
  readonly output: (pod: Pod, line: string) => void;
}

function queryOf(input: CommandInput): string {
  const tail = numberOption(input, "tail", 0);
  const since = durationOption(input, "since");
  const parts = [
    ...(tail === undefined ? [] : [`tailLines=${tail}`]),
    ...(since === undefined ? [] : [`sinceSeconds=${Math.max(1, Math.round(since / 1000))}`]),
    ...(input.options["previous"] === true ? ["previous=true"] : []),
    ...(input.options["timestamps"] === true || input.options["json"] === true ? ["timestamps=true"] : []),
  ];
  return parts.map((part) => `&${part}`).join("");
}

/** Prints a line; from the moment a second instance is seen, with the last part of its pod's name. */
function lineOutput(context: CommandContext, input: CommandInput, several: boolean): Reading["output"] {
  const seen = new Set<string>();
  return (pod, line) => {
    const { name } = pod.metadata;
    seen.add(name);
    if (input.options["json"] === true) {
      const at = line.indexOf(" ");
      const revision = pod.metadata.labels?.["serving.knative.dev/revision"];
      context.print(JSON.stringify({ instance: name, revision, time: line.slice(0, at), line: line.slice(at + 1) }));
    } else context.print(several || seen.size > 1 ? `[${name.slice(name.lastIndexOf("-") + 1)}] ${line}` : line);
  };
}

async function follow(
  context: CommandContext,
  client: HttpClient,
  pods: { readonly namespace: string; readonly labelSelector: string },
  reading: Reading,
): Promise<void> {
  const joined = new Map<string, Promise<void>>();
  const query = `&follow=true${reading.query}`;
  while (!context.signal.aborted) {
    for await (const event of client.watch(PodKind, { ...pods, signal: context.signal })) {
      if (event.type !== "ADDED" && event.type !== "MODIFIED") continue;
      const uid = event.object.metadata.uid ?? "";
      const started = event.object.status?.containerStatuses?.some((c) => c.state?.running ?? c.state?.terminated);
      if (started && !joined.has(uid)) joined.set(uid, copyLog(context, client, event.object, { ...reading, query }));
    }
  }
}

async function copyLog(context: CommandContext, client: HttpClient, pod: Pod, reading: Reading): Promise<void> {
  const { namespace = "default", name } = pod.metadata;
  const container = encodeURIComponent(pod.spec.containers[0]?.name ?? "");
  const path = `/api/v1/namespaces/${namespace}/pods/${name}/log?container=${container}${reading.query}`;
  try {
    const answer = await client.raw(path, { accept: "*/*", signal: context.signal });
    for await (const line of createInterface({ input: answer.body, crlfDelay: Infinity })) reading.output(pod, line);
  } catch (error) {
    if (!context.signal.aborted && !isNotFound(error))
      context.note(`ebb: the log of ${name} broke off: ${error instanceof Error ? error.message : error}`);
  }
}
