import { ageOf } from "../../api/meta/time.ts";
import type { Condition } from "../../api/serving/types.gen.ts";
import { firstArg, type Command } from "../command.ts";
import { connect } from "../connect.ts";
import { findService, namespaceOf } from "../find-service.ts";
import { readServiceFacts, type RevisionFacts, type ScheduleFacts, type ServiceFacts } from "../service-facts.ts";
import { jsonOption, namespaceOption, targetOptions } from "../target.ts";

export const describe: Command = {
  name: "describe",
  summary: "show everything about a service",
  description:
    "Shows where a service answers, its revisions with traffic and instances, why it has as many as it has, its conditions, and, when the newest revision fails, the last lines it wrote.",
  args: [{ name: "<service>", summary: "name of the Service" }],
  options: [namespaceOption, jsonOption, ...targetOptions],
  examples: ["ebb describe hello", "ebb describe hello --json"],
  run: async (context, input) => {
    const client = await connect(context, input);
    const service = await findService(client, namespaceOf(input, client), firstArg(input));
    const facts = await readServiceFacts(client, service);
    if (input.options["json"] === true) context.print(JSON.stringify(facts, undefined, 2));
    else for (const line of describeLines(facts, Date.now())) context.print(line);
  },
};

/** The service in lines for a person. `now` in milliseconds since the epoch. */
export function describeLines(facts: ServiceFacts, now: number): readonly string[] {
  const ready = facts.conditions.find((c) => c.type === "Ready");
  const others = facts.conditions.filter((c) => c.type !== "Ready" && c.status !== "True");
  const field = (name: string, value: string): string => `${name.padEnd(11)}${value}`;
  return [
    field("Name", `${facts.name} (namespace ${facts.namespace})`),
    field("URL", facts.url ?? "none yet"),
    field("Ready", ready?.status === "True" ? "yes" : `no: ${firstLine(ready)}`),
    ...others.map((c) => field("", `${c.type} ${c.status}: ${firstLine(c)}`)),
    field("Image", facts.image),
    ...(facts.env.length > 0 ? [field("Variables", facts.env.join(", "))] : []),
    ...(facts.schedule ? [field("Schedule", scheduleWords(facts.schedule, now))] : []),
    "",
    "Revisions",
    ...facts.revisions.flatMap((revision) => revisionLines(revision, now)),
    ...(facts.log.length > 0
      ? ["", "Last output of the newest revision", ...facts.log.map((line) => `  ${line}`)]
      : []),
  ];
}

const firstLine = (condition: Condition | undefined): string =>
  (condition?.message ?? condition?.reason ?? "not seen yet").split("\n")[0] ?? "";

function revisionLines(revision: RevisionFacts, now: number): readonly string[] {
  const { name, percent, tags, ready, message, instances, decision } = revision;
  const state = ready === "True" ? "ready" : ready === "False" ? "failed" : "starting";
  const tagged = tags.length > 0 ? `  tagged ${tags.join(", ")}` : "";
  const age = ageOf(revision.createdAt, now);
  return [
    `  ${name}  ${String(percent).padStart(3)} %  ${state}  ${age} old  ${instances.length === 0 ? "asleep" : `${instances.length} ${instances.length === 1 ? "instance" : "instances"}`}${tagged}`,
    ...(message === undefined ? [] : [`    ${message.split("\n")[0]}`]),
    ...instances.map(
      (i) =>
        `    ${i.name}  ${i.status}${i.restarts > 0 ? `, ${i.restarts} restarts` : ""}  ${ageOf(i.createdAt, now)} old`,
    ),
    ...(percent > 0 && decision[0] !== undefined ? [`    ${decision[0]}`] : []),
  ];
}

function scheduleWords({ cron, timezone, lastAt, nextAt }: ScheduleFacts, now: number): string {
  return [
    timezone === undefined ? cron : `${cron} (${timezone})`,
    ...(lastAt === undefined ? [] : [`last ${ageOf(lastAt, now)} ago`]),
    ...(nextAt === undefined ? [] : [`next at ${nextAt.replace(".000Z", "Z")}`]),
  ].join(", ");
}
