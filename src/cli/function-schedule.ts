/** `ebb deploy --schedule`: a PingSource beside the Service. */
import { checkCronSchedule } from "../api/batch/cron-schedule.ts";
import { isTimeZone } from "../api/batch/time-zone.ts";
import { isNotFound } from "../api/meta/errors.ts";
import type { Service } from "../api/serving/types.gen.ts";
import { PingSourceKind } from "../api/sources/kinds.ts";
import type { PingSource } from "../api/sources/types.gen.ts";
import type { HttpClient } from "../client/http-client.ts";
import type { Schedule } from "../functions/deploy/make-schedule.ts";
import { CommandError, textOption, type CommandInput, type Option } from "./command.ts";

export const scheduleFlags: readonly Option[] = [
  { flags: "--schedule <cron>", summary: 'call it at these times too, such as "*/5 * * * *" or @hourly' },
  { flags: "--timezone <zone>", summary: "time zone of the schedule, such as Europe/Berlin (default: UTC)" },
  {
    flags: "--missed-runs <policy>",
    summary: "times that passed while ebb was not there: latest makes up for the last one, skip for none",
    default: "latest",
  },
];

export type ScheduleFlags = Pick<Schedule, "schedule" | "timezone" | "missedRuns">;

/** Throws a CommandError for times that cannot be. */
export function scheduleOf(input: CommandInput): ScheduleFlags | undefined {
  const [schedule, timezone] = [textOption(input, "schedule"), textOption(input, "timezone")];
  if (schedule === undefined) {
    if (timezone !== undefined)
      throw new CommandError("--timezone is of a --schedule, and there is none", { exitCode: 2 });
    return undefined;
  }
  const problem = problemOf(schedule);
  if (problem !== undefined) throw new CommandError(`--schedule: "${schedule}": ${problem}`, { exitCode: 2 });
  if (timezone !== undefined && !isTimeZone(timezone))
    throw new CommandError(`--timezone: there is no time zone "${timezone}"; write one like Europe/Berlin`, {
      exitCode: 2,
    });
  const missedRuns = textOption(input, "missedRuns") ?? "latest";
  if (missedRuns !== "latest" && missedRuns !== "skip")
    throw new CommandError(`--missed-runs is latest or skip, not "${missedRuns}"`, { exitCode: 2 });
  return { schedule, missedRuns, ...(timezone === undefined ? {} : { timezone }) };
}

function problemOf(schedule: string): string | undefined {
  if (schedule.startsWith("@every")) return 'say at which times, such as "*/5 * * * *" for every five minutes';
  if (/^(CRON_)?TZ=/.test(schedule)) return "name the time zone with --timezone";
  return checkCronSchedule(schedule, true)[0];
}

/** Brings the schedule in line with what was deployed: taken away by a deployment that has none. */
export async function applySchedule(
  api: HttpClient,
  service: Service,
  wanted: ScheduleFlags | undefined,
): Promise<void> {
  const { name, namespace = "default", uid = "" } = service.metadata;
  if (!wanted) {
    for (const { metadata } of await schedulesOf(api, { namespace, name }))
      await api.delete(PingSourceKind, { namespace, name: metadata.name });
    return;
  }
  const { makeSchedule } = await import("../functions/deploy/make-schedule.ts");
  const body = makeSchedule({ ...wanted, name, namespace, owner: { uid } });
  const how = { fieldManager: "ebb-deploy", force: true };
  await api.patch(PingSourceKind, { namespace, name }, { type: "apply", body }, how).catch((error: unknown) => {
    if (!isNotFound(error)) throw error;
    throw new CommandError(
      `${name} is deployed, but nothing there keeps its schedule: there are no PingSources; "ebb install" brings them to a cluster`,
    );
  });
}

/** What was made for a function by `--schedule`; nothing where there are no PingSources. */
export async function schedulesOf(
  api: Pick<HttpClient, "list">,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): Promise<readonly PingSource[]> {
  try {
    return (await api.list(PingSourceKind, { namespace, labelSelector: `dev.ebb.function=${name}` })).items;
  } catch (error) {
    if (isNotFound(error)) return [];
    throw error;
  }
}
