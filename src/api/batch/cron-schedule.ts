/** The grammar of CronJob schedules, with the complaints of the parser Kubernetes uses (robfig/cron v3). */
import { parseDurationNs } from "../meta/duration.ts";

interface Bounds {
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}

const months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const weekdays = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const fields: readonly Bounds[] = [
  { min: 0, max: 59 },
  { min: 0, max: 23 },
  { min: 1, max: 31 },
  { min: 1, max: 12, names: ["", ...months] },
  { min: 0, max: 6, names: weekdays },
];
const macros: ReadonlySet<string> = new Set([
  "@yearly",
  "@annually",
  "@monthly",
  "@weekly",
  "@daily",
  "@midnight",
  "@hourly",
]);

const seconds: Bounds = { min: 0, max: 59 };

/**
 * What is wrong with a schedule: five fields, a macro such as `@daily`, or `@every 1h30m`; empty when it is good. With
 * `optionalSeconds` there may be a sixth field in front.
 */
export function checkCronSchedule(schedule: string, optionalSeconds = false): readonly string[] {
  if (schedule === "") return ["empty spec string"];
  const body = schedule.replace(/^(CRON_)?TZ=\S+\s+/, "");
  if (body.startsWith("@")) return checkMacro(body);
  const parts = body.trim().split(/\s+/);
  const withSeconds = optionalSeconds && parts.length === fields.length + 1;
  if (parts.length !== fields.length && !withSeconds) {
    const wanted = optionalSeconds ? "5 to 6" : "exactly 5";
    return [`expected ${wanted} fields, found ${parts.length}: [${parts.join(" ")}]`];
  }
  const bounds = withSeconds ? [seconds, ...fields] : fields;
  for (const [i, part] of parts.entries()) {
    const problem = fieldProblem(part, bounds[i]);
    if (problem !== undefined) return [problem];
  }
  return [];
}

function checkMacro(text: string): readonly string[] {
  if (macros.has(text)) return [];
  if (!text.startsWith("@every ")) return [`unrecognized descriptor: ${text}`];
  const duration = text.slice("@every ".length);
  if (parseDurationNs(duration) !== undefined) return [];
  return [`failed to parse duration ${text}: time: invalid duration ${JSON.stringify(duration)}`];
}

function fieldProblem(part: string, bounds: Bounds | undefined): string | undefined {
  if (!bounds) return undefined;
  for (const range of part.split(",").filter(Boolean)) {
    const problem = rangeProblem(range, bounds);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function rangeProblem(text: string, bounds: Bounds): string | undefined {
  const [range = "", step, ...moreSteps] = text.split("/");
  const [low = "", high, ...moreHyphens] = range.split("-");
  if (moreHyphens.length > 0) return `too many hyphens: ${text}`;
  const any = low === "*" || low === "?";
  const start = any ? bounds.min : parseNumber(low, bounds);
  if (typeof start === "string") return start;
  const given = any ? bounds.max : high === undefined ? start : parseNumber(high, bounds);
  if (typeof given === "string") return given;
  if (moreSteps.length > 0) return `too many slashes: ${text}`;
  const every = step === undefined ? 1 : parseNumber(step, { min: 0, max: 0 });
  if (typeof every === "string") return every;
  const end = step !== undefined && high === undefined && !any ? bounds.max : given;
  if (start < bounds.min) return `beginning of range (${start}) below minimum (${bounds.min}): ${text}`;
  if (end > bounds.max) return `end of range (${end}) above maximum (${bounds.max}): ${text}`;
  if (start > end) return `beginning of range (${start}) beyond end of range (${end}): ${text}`;
  return every === 0 ? `step of range should be a positive number: ${text}` : undefined;
}

/** A number or a name of the field; a text is the complaint. */
function parseNumber(text: string, { names }: Bounds): number | string {
  const named = text === "" ? -1 : (names?.indexOf(text.toLowerCase()) ?? -1);
  if (named >= 0) return named;
  if (/^\+?\d+$/.test(text)) return Number(text);
  if (/^-\d+$/.test(text)) return `negative number (${text}) not allowed: ${text}`;
  return `failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`;
}
