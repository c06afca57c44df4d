/** PingSource as the API server serves it (eventing pkg/apis/sources/v1/ping_{defaults,validation}.go). */
import { checkCronSchedule } from "../batch/cron-schedule.ts";
import { isTimeZone } from "../batch/time-zone.ts";
import { ageAndReady, annotationColumn, eventingKindFacts, sinkColumn } from "../eventing/columns.ts";
import { checkDestination, checkSourceSpec, defaultDestination } from "../eventing/destination.ts";
import { eventingNamespace } from "../eventing/keys.ts";
import { nameColumn } from "../meta/columns.ts";
import type { KindDefinition, WriteContext } from "../meta/definition.ts";
import { apiVersionOf } from "../meta/kind.ts";
import { column } from "../serving/columns.ts";
import { fillStructs } from "../serving/go-structs.ts";
import {
  invalidValue,
  multipleOneOf,
  toFieldErrors,
  within,
  type Problem,
  type Problems,
} from "../serving/problems.ts";
import { stampUser } from "../serving/user-info.ts";
import { schemaOf } from "../schemas.ts";
import { PingSourceKind, PingSourceV1beta2Kind } from "./kinds.ts";
import type { PingSource, PingSourceSpec } from "./types.gen.ts";

export const pingSourceDefinition: KindDefinition<PingSource> = {
  ...eventingKindFacts,
  kind: PingSourceKind,
  schema: () => schemaOf("sources.v1.PingSource"),
  columns: [
    nameColumn,
    sinkColumn,
    column<PingSource>("Schedule", "When it sends.", ".spec.schedule", ({ spec }) => spec.schedule ?? ""),
    annotationColumn("Last", "When it sent last.", "events.ebb.dev/last-run"),
    annotationColumn("Next", "When it sends next.", "events.ebb.dev/next-run"),
    ...ageAndReady,
  ],
  prepare: (source, old, context) => {
    fillStructs(source, "spec.sink");
    source.spec.schedule ||= "* * * * *";
    defaultDestination(source.spec.sink, source.metadata.namespace);
    stampUser<PingSource>(source, old, { ...context, group: PingSourceKind.group });
  },
  validate: ({ spec }, _old, context) =>
    toFieldErrors(
      within("spec", [
        ...checkSchedule(spec),
        ...within("sink", checkDestination(spec.sink)),
        ...checkData(spec, context),
        ...checkSourceSpec(spec),
      ]),
    ),
};

function checkSchedule({ schedule = "", timezone }: PingSourceSpec): Problems {
  const problems: Problem[] = [];
  if (schedule.includes("@every")) problems.push(invalidValue("unsupported descriptor @every", "schedule"));
  else if (/^(CRON_)?TZ=/.test(schedule))
    problems.push(invalidValue("cannot use TZ or CRON_TZ in schedule, use timezone field instead", "schedule"));
  else problems.push(...checkCronSchedule(schedule, true).map((complaint) => invalidValue(complaint, "schedule")));
  if (timezone && !isTimeZone(timezone))
    problems.push(invalidValue(`provided bad location ${timezone}: unknown time zone ${timezone}`, "timezone"));
  return problems;
}

function checkData({ data, dataBase64, contentType }: PingSourceSpec, context: WriteContext): Problems {
  if (data && dataBase64) return [multipleOneOf("data", "dataBase64")];
  const field = dataBase64 ? "dataBase64" : "data";
  const given = dataBase64 || data;
  if (!given) return [];
  const max = Number(context.configMap(eventingNamespace, "config-ping-defaults")["data-max-size"] ?? "-1");
  const problems: Problem[] = [];
  const bytes = Buffer.byteLength(given);
  if (max > -1 && bytes > max)
    problems.push(invalidValue(`the ${field} length of ${bytes} bytes exceeds limit set at ${max}.`, field));
  const isBase64 = !dataBase64 || /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(dataBase64);
  if (!isBase64) return [...problems, invalidValue("illegal base64 data", field)];
  const text = dataBase64 ? Buffer.from(dataBase64, "base64").toString("utf8") : given;
  if (contentType === "application/json" && !isJson(text))
    problems.push(invalidValue("the data is not JSON, which contentType says it is", field));
  return problems;
}

/** Any JSON value; upstream takes objects only, though a list is good data too. */
function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** v1beta2 has the same fields. */
export const pingSourceV1beta2Definition: KindDefinition<PingSource> = {
  ...eventingKindFacts,
  kind: PingSourceV1beta2Kind,
  schema: () => schemaOf("sources.v1.PingSource"),
  columns: pingSourceDefinition.columns,
  conversion: {
    storedAs: PingSourceKind,
    toStored: (source) => ({ ...source, apiVersion: apiVersionOf(PingSourceKind) }),
    fromStored: (source) => ({ ...(source as PingSource), apiVersion: apiVersionOf(PingSourceV1beta2Kind) }),
  },
};
