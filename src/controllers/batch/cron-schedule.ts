/** When a CronJob is due (kubernetes pkg/controller/cronjob/utils.go). Pure. */
import { Cron } from "croner";
import { parseDuration } from "../../api/meta/duration.ts";

/** Without spec.timeZone schedules mean UTC, as in a cluster whose controller manager runs in a container. */
export const defaultTimeZone = "UTC";

/** The first time of a schedule after another; undefined when none comes any more. */
export type NextRun = (afterMs: number) => number | undefined;

/** Five fields, a macro or `@every <duration>`. Throws an Error for what is none, or for an unknown time zone. */
export function parseSchedule(schedule: string, timeZone: string = defaultTimeZone): NextRun {
  const every = /^@every\s+(\S+)$/.exec(schedule.trim());
  if (every) {
    const periodMs = parseDuration(every[1] ?? "");
    if (periodMs === undefined) throw new Error(`failed to parse duration ${schedule}`);
    const wholeMs = Math.max(1000, Math.floor(periodMs / 1000) * 1000);
    return (afterMs) => Math.floor(afterMs / 1000) * 1000 + wholeMs;
  }
  const fields = withStepsToTheEnd(schedule.trim().replaceAll("?", "*"));
  // Sixth fields, seconds, are only of kinds whose admission lets them through.
  const mode = fields.startsWith("@") || fields.split(/\s+/).length === 6 ? "auto" : "5-part";
  const cron = new Cron(fields, { timezone: timeZone, paused: true, mode });
  return (afterMs) => cron.nextRun(new Date(afterMs))?.getTime();
}

/** `5/15` is robfig/cron's for "from 5 on, every 15": `5-59/15` for minutes. The parser here wants the end. */
function withStepsToTheEnd(schedule: string): string {
  const fields = schedule.split(/\s+/);
  const ends = fields.length === 6 ? [59, ...lastOfField] : lastOfField;
  if (fields.length !== ends.length) return schedule;
  return fields
    .map((field, at) =>
      field
        .split(",")
        .map((range) => range.replace(/^(\w+)\/(?=\d)/, `$1-${ends[at]}/`))
        .join(","),
    )
    .join(" ");
}

/** Minutes, hours, days of a month, months, days of a week. */
const lastOfField: readonly number[] = [59, 23, 31, 12, 6];

export interface DueInputs {
  readonly next: NextRun;
  /** The last scheduled run, or the CronJob's creation. */
  readonly sinceMs: number;
  readonly now: number;
  /** spec.startingDeadlineSeconds, in milliseconds. */
  readonly deadlineMs?: number;
}

export interface Due {
  /** The latest time that has come and was not run; undefined when there is none. */
  readonly atMs?: number;
  /** More than a hundred were missed: somebody should know. */
  readonly tooManyMissed: boolean;
}

const manyMissed = 100;

/** Of several missed times only the latest counts, and none from before the starting deadline. */
export function latestDue({ next, sinceMs, now, deadlineMs }: DueInputs): Due {
  const earliestMs = deadlineMs === undefined ? sinceMs : Math.max(sinceMs, now - deadlineMs);
  const first = next(earliestMs);
  if (first === undefined || now < first) return { tooManyMissed: false };
  const second = next(first);
  if (second === undefined || now < second) return { atMs: first, tooManyMissed: false };
  const missed = Math.floor((now - first) / (second - first)) + 1;
  // Steps are not all alike (months, weekends): start well before now and walk the rest.
  let latest = first;
  const startMs = missed > 2 ? Math.max(first, first + (missed - 2) * (second - first)) : first;
  for (let at = next(startMs); at !== undefined && at <= now; at = next(at)) latest = at;
  return { atMs: latest, tooManyMissed: missed > manyMissed };
}

/** RFC 3339 with the zone's offset, as the scheduled-timestamp annotation has it. */
export function formatInZone(ms: number, timeZone: string = defaultTimeZone): string {
  const parts = new Intl.DateTimeFormat("en-US", {
    timeZone,
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    timeZoneName: "longOffset",
  }).formatToParts(ms);
  const part = (type: Intl.DateTimeFormatPartTypes): string => parts.find((found) => found.type === type)?.value ?? "";
  const offset = part("timeZoneName").replace("GMT", "");
  const day = `${part("year")}-${part("month")}-${part("day")}`;
  return `${day}T${part("hour")}:${part("minute")}:${part("second")}${offset === "" || offset === "+00:00" ? "Z" : offset}`;
}
